-- Event triggers: events, tags, states, owners.
DO $$ BEGIN CREATE ROLE fidelity_superuser SUPERUSER; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
ALTER ROLE fidelity_superuser SUPERUSER;
CREATE SCHEMA "Odd schema";
CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE FUNCTION "Odd schema"."watch ""too"""() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER at_start ON ddl_command_start EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER at_end ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER "Many ""tags"", ü" ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'alter table', 'CREATE INDEX', 'COMMENT')
    EXECUTE FUNCTION "Odd schema"."watch ""too"""();
CREATE EVENT TRIGGER dropped ON sql_drop EXECUTE PROCEDURE public.watch();
CREATE EVENT TRIGGER rewritten ON table_rewrite WHEN TAG IN ('ALTER TABLE', 'ALTER TYPE') EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER disabled ON ddl_command_end EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER always ON ddl_command_end EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER replica ON sql_drop EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER "select" ON sql_drop EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER n63_456789012345678901234567890123456789012345678901234567890_z ON sql_drop EXECUTE FUNCTION public.watch();
ALTER EVENT TRIGGER disabled DISABLE;
ALTER EVENT TRIGGER always ENABLE ALWAYS;
ALTER EVENT TRIGGER replica ENABLE REPLICA;
ALTER EVENT TRIGGER "Many ""tags"", ü" DISABLE;
COMMENT ON EVENT TRIGGER at_start IS 'it''s at the start';
COMMENT ON EVENT TRIGGER "Many ""tags"", ü" IS E'two\nlines';
ALTER EVENT TRIGGER at_end OWNER TO fidelity_superuser;
CREATE TABLE public.t (id integer);
