-- since 17
-- The login event, and event triggers on REINDEX.
CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER always_at_login ON login EXECUTE FUNCTION public.watch();
ALTER EVENT TRIGGER always_at_login ENABLE ALWAYS;
CREATE EVENT TRIGGER reindexed ON ddl_command_start WHEN TAG IN ('REINDEX') EXECUTE FUNCTION public.watch();
