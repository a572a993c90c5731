-- Foreign-data wrappers, servers and user mappings.
DO $$ BEGIN CREATE ROLE fidelity_foreign; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "fidelity_Föreign ""odd"" role"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE fidelity_superuser SUPERUSER; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
ALTER ROLE fidelity_superuser SUPERUSER;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw;
CREATE SCHEMA "Wrap pers";
CREATE FUNCTION "Wrap pers"."check it"(text[], oid) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;

CREATE FOREIGN DATA WRAPPER bare;
CREATE FOREIGN DATA WRAPPER "no thing" NO HANDLER NO VALIDATOR;
CREATE FOREIGN DATA WRAPPER "Odd ""wrapper"", über" OPTIONS (
    plain 'x', "Upper Case" 'it''s', "quo""ted" 'back\slash', "select" '', "new
line" 'a
b', "comma, ()" 'ü€', z_last E'\ttab');
CREATE FOREIGN DATA WRAPPER validated VALIDATOR postgresql_fdw_validator;
CREATE FOREIGN DATA WRAPPER own_validator VALIDATOR "Wrap pers"."check it" OPTIONS (debug 'true');
CREATE FOREIGN DATA WRAPPER with_handler HANDLER postgres_fdw_handler VALIDATOR postgres_fdw_validator;
CREATE FOREIGN DATA WRAPPER n63_456789012345678901234567890123456789012345678901234567890_z;
COMMENT ON FOREIGN DATA WRAPPER bare IS 'it''s bare';
COMMENT ON FOREIGN DATA WRAPPER "Odd ""wrapper"", über" IS E'two\nlines \\';
ALTER FOREIGN DATA WRAPPER own_validator OWNER TO fidelity_superuser;
GRANT USAGE ON FOREIGN DATA WRAPPER bare TO fidelity_foreign;
GRANT USAGE ON FOREIGN DATA WRAPPER "Odd ""wrapper"", über" TO PUBLIC;
GRANT USAGE ON FOREIGN DATA WRAPPER "Odd ""wrapper"", über" TO "fidelity_Föreign ""odd"" role" WITH GRANT OPTION;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO fidelity_foreign WITH GRANT OPTION;

CREATE SERVER bare FOREIGN DATA WRAPPER bare;
CREATE SERVER "Typed Sérver" TYPE 'it''s a "type"' VERSION E'1.2\\3' FOREIGN DATA WRAPPER "Odd ""wrapper"", über" OPTIONS (
    "Host" 'a b', "user" 'it''s', z 'back\slash');
CREATE SERVER version_only VERSION '0' FOREIGN DATA WRAPPER bare;
CREATE SERVER type_only TYPE 'select' FOREIGN DATA WRAPPER bare;
CREATE SERVER empty_type TYPE '' VERSION '' FOREIGN DATA WRAPPER bare;
CREATE SERVER postgres_server FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
    host '127.0.0.1', port '5', dbname 'd"b', fetch_size '77', extensions 'citext', use_remote_estimate 'on', updatable 'false');
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE SERVER "table" FOREIGN DATA WRAPPER "no thing";
CREATE SERVER n63_456789012345678901234567890123456789012345678901234567890_z FOREIGN DATA WRAPPER n63_456789012345678901234567890123456789012345678901234567890_z;
COMMENT ON SERVER "Typed Sérver" IS 'a server';
COMMENT ON SERVER "table" IS '';
COMMENT ON SERVER files IS 'files';
ALTER SERVER files OWNER TO fidelity_foreign;
ALTER SERVER "Typed Sérver" OWNER TO "fidelity_Föreign ""odd"" role";
GRANT USAGE ON FOREIGN SERVER "Typed Sérver" TO fidelity_foreign WITH GRANT OPTION;
SET ROLE fidelity_foreign;
GRANT USAGE ON FOREIGN SERVER "Typed Sérver" TO PUBLIC;
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER files TO PUBLIC;
REVOKE ALL ON FOREIGN SERVER bare FROM CURRENT_USER;

CREATE USER MAPPING FOR PUBLIC SERVER bare;
CREATE USER MAPPING FOR CURRENT_USER SERVER bare OPTIONS ("User" 'me', password 'it''s "secret" \');
CREATE USER MAPPING FOR "fidelity_Föreign ""odd"" role" SERVER bare OPTIONS ("a b" 'c', "select" '');
CREATE USER MAPPING FOR fidelity_foreign SERVER "Typed Sérver" OPTIONS (x 'y');
CREATE USER MAPPING FOR PUBLIC SERVER "Typed Sérver" OPTIONS (x 'y');
CREATE USER MAPPING FOR PUBLIC SERVER postgres_server OPTIONS (user 'remote', password 'p');
CREATE USER MAPPING FOR fidelity_foreign SERVER postgres_server OPTIONS (user 'remote', password_required 'false');
CREATE USER MAPPING FOR "fidelity_Föreign ""odd"" role" SERVER "table";
CREATE USER MAPPING FOR fidelity_foreign SERVER "table";
CREATE USER MAPPING FOR CURRENT_USER SERVER "table";
