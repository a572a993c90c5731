-- What belongs to the database as a whole: pg_restore uses it only with --create.
DO $$ BEGIN CREATE ROLE fidelity_owner; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "fidelity_Odd ""role"", ü"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $do$
DECLARE
    command text;
BEGIN
    FOREACH command IN ARRAY ARRAY[
        'COMMENT ON DATABASE %I IS ''it''''s "the" database''',
        'ALTER DATABASE %I CONNECTION LIMIT 99',
        'ALTER DATABASE %I IS_TEMPLATE true',
        'ALTER DATABASE %I SET work_mem = ''7MB''',
        'ALTER DATABASE %I SET search_path = "$user", public, "Odd ""schema"""',
        'ALTER DATABASE %I SET DateStyle = ''ISO, DMY''',
        'ALTER DATABASE %I SET "my.Custom Setting" = ''it''''s \ odd''',
        'ALTER DATABASE %I SET temp_tablespaces = ''''',
        'ALTER DATABASE %I SET enable_seqscan = off',
        'ALTER DATABASE %I SET application_name = ''''',
        'ALTER ROLE "fidelity_Odd ""role"", ü" IN DATABASE %I SET work_mem = ''1MB''',
        'ALTER ROLE fidelity_owner IN DATABASE %I SET statement_timeout = ''3s''',
        'ALTER ROLE fidelity_owner IN DATABASE %I SET search_path = a, "B"',
        'REVOKE ALL ON DATABASE %I FROM PUBLIC',
        'ALTER DATABASE %I OWNER TO fidelity_owner',
        'GRANT CONNECT ON DATABASE %I TO "fidelity_Odd ""role"", ü" WITH GRANT OPTION',
        'GRANT CREATE, TEMPORARY ON DATABASE %I TO PUBLIC']
    LOOP
        BEGIN
            EXECUTE format(command, current_database());
        EXCEPTION WHEN invalid_name THEN
            -- Since 16 custom settings have plain names.
            EXECUTE format(replace(command, 'Custom Setting', 'custom_setting'), current_database());
        END;
    END LOOP;
END $do$;
CREATE TABLE public.t (id integer);
