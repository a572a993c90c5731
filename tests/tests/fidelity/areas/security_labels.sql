-- restored since 99
-- Security labels on all that can have one. Without the provider's library nothing can be labelled, nor restored, so the rows are made here.
DO $$ BEGIN CREATE ROLE fidelity_labels; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
SET LOCAL allow_system_table_mods = on;
CREATE SCHEMA "Odd schema";
CREATE TABLE public.plain (id serial PRIMARY KEY, "Odd ""col"", ü" text);
CREATE TABLE public.identity (id integer GENERATED ALWAYS AS IDENTITY);
CREATE TABLE "Odd schema"."Tab ""le"", ü" (a integer) PARTITION BY LIST (a);
CREATE TABLE public.only_a_column (a integer, b integer);
CREATE VIEW public.view AS SELECT 1 AS x;
CREATE MATERIALIZED VIEW public.kept AS SELECT 1 AS x;
CREATE SEQUENCE "Odd schema".numbers;
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE public.far (x integer) SERVER s;
CREATE TYPE "Odd schema".mood AS ENUM ('a');
CREATE TYPE public.pair AS (a integer, b text);
CREATE TYPE public.span AS RANGE (subtype = text);
CREATE DOMAIN public.short AS text;
CREATE FUNCTION "Odd schema"."f ""x"""(a integer, OUT b text, VARIADIC c text[] DEFAULT '{}') LANGUAGE sql AS $$ SELECT 'x' $$;
CREATE PROCEDURE public.p(a integer) LANGUAGE sql AS $$ SELECT 1 $$;
CREATE AGGREGATE public.total(integer) (SFUNC = int4pl, STYPE = integer);
CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER watching ON sql_drop EXECUTE FUNCTION public.watch();
CREATE PUBLICATION "Pub ü";
COMMENT ON TABLE public.plain IS 'a comment';
GRANT SELECT ON public.plain TO fidelity_labels;
ALTER TABLE public.plain OWNER TO fidelity_labels;
SELECT lo_create(77);
INSERT INTO pg_seclabel (objoid, classoid, objsubid, provider, label)
SELECT oid, 'pg_class'::regclass, 0, 'se_linux', 'it''s ' || relname || E' \\ \n' FROM pg_class
    WHERE relnamespace IN ('public'::regnamespace, '"Odd schema"'::regnamespace) AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        AND relname <> 'only_a_column'
UNION ALL SELECT attrelid, 'pg_class'::regclass, attnum, 'se_linux', 'column ' || attname FROM pg_attribute
    WHERE attnum > 0 AND attrelid IN ('public.plain'::regclass, 'public.only_a_column'::regclass, 'public.view'::regclass, 'public.far'::regclass)
UNION ALL SELECT oid, 'pg_type'::regclass, 0, 'Odd ""provider', typname FROM pg_type
    WHERE typname IN ('mood', 'pair', 'span', 'short')
UNION ALL SELECT oid, 'pg_proc'::regclass, 0, 'se_linux', proname FROM pg_proc
    WHERE pronamespace IN ('public'::regnamespace, '"Odd schema"'::regnamespace) AND prolang <> 12
UNION ALL SELECT oid, 'pg_proc'::regclass, 0, 'se_linux', proname FROM pg_proc WHERE proname IN ('total', 'p', 'f "x"') AND prolang = 12
UNION ALL SELECT oid, 'pg_namespace'::regclass, 0, 'se_linux', nspname FROM pg_namespace WHERE nspname IN ('public', 'Odd schema')
UNION ALL SELECT oid, 'pg_event_trigger'::regclass, 0, 'se_linux', evtname FROM pg_event_trigger
UNION ALL SELECT oid, 'pg_publication'::regclass, 0, 'se_linux', pubname FROM pg_publication
UNION ALL SELECT 77, 'pg_largeobject'::regclass, 0, 'se_linux', 'large';
