-- Grants on a member of an extension, which CREATE EXTENSION does not bring back.
DO $$ BEGIN
    EXECUTE (
        SELECT format('REVOKE ALL ON FUNCTION %1$s FROM PUBLIC; GRANT EXECUTE ON FUNCTION %1$s TO kinds_bob', p.oid::regprocedure)
        FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        WHERE p.prokind = 'f' AND d.refobjid >= 16384 ORDER BY p.oid LIMIT 1);
END $$;
