-- An extension's type in every place.
DO $$ BEGIN CREATE ROLE fidelity_b; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA ext;
CREATE SCHEMA "User's";
CREATE EXTENSION hstore SCHEMA ext;
COMMENT ON EXTENSION hstore IS 'not the usual words';
CREATE TABLE "User's".t (id int PRIMARY KEY, v ext.hstore DEFAULT 'a=>1'::ext.hstore, vs ext.hstore[]);
INSERT INTO "User's".t VALUES (1, DEFAULT, NULL), (2, NULL, ARRAY['a=>1'::ext.hstore]);
CREATE FUNCTION "User's".f(ext.hstore) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text';
ALTER FUNCTION "User's".f(ext.hstore) DEPENDS ON EXTENSION hstore;
CREATE INDEX by_text ON "User's".t ("User's".f(v));
ALTER INDEX "User's".by_text DEPENDS ON EXTENSION hstore;
ALTER INDEX "User's".t_pkey DEPENDS ON EXTENSION plpgsql;
CREATE MATERIALIZED VIEW "User's".m AS SELECT v FROM "User's".t;
ALTER MATERIALIZED VIEW "User's".m DEPENDS ON EXTENSION hstore;
CREATE FUNCTION "User's".tr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER tr BEFORE INSERT ON "User's".t FOR EACH ROW EXECUTE FUNCTION "User's".tr();
ALTER TRIGGER tr ON "User's".t DEPENDS ON EXTENSION hstore;
CREATE TABLE ext.in_its_schema (a int);
CREATE DOMAIN "User's".d AS ext.hstore;
CREATE TYPE "User's".c AS (v ext.hstore);
-- Grants on a member of an extension, which CREATE EXTENSION does not bring back.
DO $$ BEGIN
    EXECUTE (
        SELECT format('REVOKE ALL ON FUNCTION %1$s FROM PUBLIC; GRANT EXECUTE ON FUNCTION %1$s TO fidelity_b', p.oid::regprocedure)
        FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        WHERE p.prokind = 'f' AND d.refobjid >= 16384 ORDER BY p.oid LIMIT 1);
END $$;
