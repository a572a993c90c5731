-- Foreign tables: columns, options, inheritance, partitions, triggers, grants.
DO $$ BEGIN CREATE ROLE fidelity_foreign; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "fidelity_Föreign ""odd"" role"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw;
CREATE SCHEMA "Far Away";
CREATE FOREIGN DATA WRAPPER any_option;
CREATE SERVER "Odd sérver" FOREIGN DATA WRAPPER any_option;
CREATE SERVER remote FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '5', dbname 'd');
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE TYPE "Far Away".mood AS ENUM ('sad', 'happy');
CREATE DOMAIN "Far Away".short AS text CHECK (length(VALUE) < 9);
CREATE SEQUENCE public.numbers;
CREATE FUNCTION public.watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;

CREATE FOREIGN TABLE public.empty () SERVER "Odd sérver";
CREATE FOREIGN TABLE public.plain (id integer, name text) SERVER "Odd sérver";
CREATE FOREIGN TABLE "Far Away"."Odd ""table"", ü" (
    "Id" bigint OPTIONS ("Col Name" 'it''s', z 'back\slash', "select" '') NOT NULL DEFAULT nextval('public.numbers'),
    "sel ect" varchar(10) OPTIONS (a 'b') COLLATE "C" DEFAULT 'it''s',
    feeling "Far Away".mood DEFAULT 'happy',
    d "Far Away".short,
    n numeric(10,2) NOT NULL CHECK (n > 0),
    arr integer[] DEFAULT '{1,2}',
    CONSTRAINT "Both ""of"" them" CHECK ("Id" > 0 AND n < 100),
    CONSTRAINT "not for children" CHECK (n <> 7) NO INHERIT
) SERVER "Odd sérver" OPTIONS ("Schema" 'a "b"', "t''able" 'it''s', zz '');
CREATE FOREIGN TABLE public.remote_one (id integer OPTIONS (column_name 'The Id'), v text NOT NULL)
    SERVER remote OPTIONS (schema_name 'S', table_name 'T', updatable 'false');
CREATE FOREIGN TABLE public.a_file (line text) SERVER files OPTIONS (filename '/nowhere/file, ''x''.csv', format 'csv', delimiter E'\t');
CREATE FOREIGN TABLE public.n63_456789012345678901234567890123456789012345678901234567890_z (x integer) SERVER "Odd sérver";
ALTER FOREIGN TABLE public.plain ADD CONSTRAINT later CHECK (id > 3) NOT VALID;
ALTER FOREIGN TABLE public.plain ALTER COLUMN name SET STATISTICS 77;
ALTER FOREIGN TABLE public.a_file ALTER COLUMN line SET STORAGE EXTERNAL;
ALTER FOREIGN TABLE public.plain ALTER COLUMN id SET (n_distinct = -0.5, n_distinct_inherited = 10);
ALTER FOREIGN TABLE public.plain ADD COLUMN gone integer, ADD COLUMN computed integer GENERATED ALWAYS AS (id * 2) STORED;
ALTER FOREIGN TABLE public.plain DROP COLUMN gone;
COMMENT ON FOREIGN TABLE public.plain IS 'it''s plain';
COMMENT ON COLUMN public.plain.name IS 'a column';
COMMENT ON CONSTRAINT later ON public.plain IS 'a constraint';
COMMENT ON FOREIGN TABLE "Far Away"."Odd ""table"", ü" IS E'two\nlines';
COMMENT ON COLUMN "Far Away"."Odd ""table"", ü"."sel ect" IS 'odd';
COMMENT ON CONSTRAINT "Both ""of"" them" ON "Far Away"."Odd ""table"", ü" IS 'both';
ALTER FOREIGN TABLE public.plain OWNER TO fidelity_foreign;
ALTER FOREIGN TABLE "Far Away"."Odd ""table"", ü" OWNER TO "fidelity_Föreign ""odd"" role";
GRANT SELECT, INSERT ON public.remote_one TO fidelity_foreign WITH GRANT OPTION;
GRANT SELECT (id), UPDATE (v) ON public.remote_one TO PUBLIC;
REVOKE ALL ON public.a_file FROM CURRENT_USER;
GRANT ALL ON "Far Away"."Odd ""table"", ü" TO fidelity_foreign;

CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OF name ON public.plain FOR EACH ROW WHEN (NEW.id > 1) EXECUTE FUNCTION public.watch();
CREATE TRIGGER "After It" AFTER DELETE ON public.plain FOR EACH STATEMENT EXECUTE FUNCTION public.watch('a', 'it''s');
CREATE TRIGGER always AFTER UPDATE ON "Far Away"."Odd ""table"", ü" FOR EACH ROW EXECUTE FUNCTION public.watch();
CREATE TRIGGER replica AFTER UPDATE ON "Far Away"."Odd ""table"", ü" FOR EACH ROW EXECUTE FUNCTION public.watch();
CREATE TRIGGER off AFTER UPDATE ON "Far Away"."Odd ""table"", ü" FOR EACH ROW EXECUTE FUNCTION public.watch();
ALTER TABLE "Far Away"."Odd ""table"", ü" ENABLE ALWAYS TRIGGER always;
ALTER TABLE "Far Away"."Odd ""table"", ü" ENABLE REPLICA TRIGGER replica;
ALTER TABLE "Far Away"."Odd ""table"", ü" DISABLE TRIGGER off;
COMMENT ON TRIGGER always ON "Far Away"."Odd ""table"", ü" IS 'always';

CREATE TABLE public.parent (id integer NOT NULL DEFAULT 1, name text, CONSTRAINT positive CHECK (id > 0));
INSERT INTO public.parent VALUES (1, 'a row');
CREATE FOREIGN TABLE public.foreign_child (extra text DEFAULT 'x' NOT NULL) INHERITS (public.parent) SERVER "Odd sérver" OPTIONS (a 'b');
CREATE FOREIGN TABLE public.foreign_child2 (id integer DEFAULT 2, name text OPTIONS (o 'p')) INHERITS (public.parent) SERVER "Odd sérver";
ALTER FOREIGN TABLE public.foreign_child ALTER COLUMN id SET DEFAULT 9, ALTER COLUMN name SET NOT NULL, ALTER COLUMN name OPTIONS (ADD q 'r');
ALTER FOREIGN TABLE public.foreign_child2 ALTER COLUMN id DROP DEFAULT;
CREATE TABLE public.local_child (own integer) INHERITS (public.plain);
CREATE TABLE public.local_child2 (id integer DEFAULT 5 NOT NULL) INHERITS (public.plain, public.parent);
CREATE FOREIGN TABLE public.of_foreign () INHERITS (public.plain) SERVER remote;
CREATE INDEX ON public.local_child (own);

CREATE TABLE public.parts (k integer NOT NULL, v text DEFAULT 'v', CONSTRAINT v_short CHECK (length(v) < 100)) PARTITION BY RANGE (k);
CREATE TABLE public.parts_local PARTITION OF public.parts FOR VALUES FROM (0) TO (10);
CREATE FOREIGN TABLE public.parts_far PARTITION OF public.parts (v DEFAULT 'far' NOT NULL) FOR VALUES FROM (10) TO (20) SERVER "Odd sérver" OPTIONS (t 'x');
CREATE FOREIGN TABLE "Far Away".parts_other_order (v text OPTIONS (c 'd'), k integer NOT NULL, CONSTRAINT v_short CHECK (length(v) < 100)) SERVER "Odd sérver";
ALTER TABLE public.parts ATTACH PARTITION "Far Away".parts_other_order FOR VALUES FROM (20) TO (MAXVALUE);
CREATE TRIGGER on_parts AFTER INSERT ON public.parts FOR EACH ROW EXECUTE FUNCTION public.watch();
ALTER TABLE public.parts_far ENABLE ALWAYS TRIGGER on_parts;
INSERT INTO public.parts VALUES (5, 'here');

CREATE VIEW public.over_foreign AS SELECT p.id, r.v FROM public.plain p JOIN public.remote_one r USING (id);
CREATE MATERIALIZED VIEW public.kept AS SELECT id FROM public.plain WITH NO DATA;
CREATE FUNCTION public.uses_row(public.plain) RETURNS integer LANGUAGE sql AS $$ SELECT $1.id $$;
