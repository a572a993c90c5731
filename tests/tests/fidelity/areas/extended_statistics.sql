-- Extended statistics: kinds, names, targets, and targets of columns.
DO $$ BEGIN CREATE ROLE fidelity_stats; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd schema";
CREATE TABLE public.t (a integer, b integer, "C ""d"", ü" text, d date, id integer PRIMARY KEY);
CREATE TABLE public.parts (a integer, b integer) PARTITION BY LIST (a);
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1);
CREATE MATERIALIZED VIEW public.kept AS SELECT 1 AS x, 2 AS y;
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE public.far (a integer, b integer) SERVER s;
CREATE STATISTICS public.everything ON a, b FROM public.t;
CREATE STATISTICS public.distinct_only (ndistinct) ON a, b FROM public.t;
CREATE STATISTICS public.dependencies_only (dependencies) ON a, b, d FROM public.t;
CREATE STATISTICS public.mcv_only (mcv) ON a, "C ""d"", ü" FROM public.t;
CREATE STATISTICS public.two (ndistinct, mcv) ON b, a FROM public.t;
CREATE STATISTICS "Odd schema"."Stat ""x"", ü" (dependencies, mcv) ON a, b FROM public.t;
CREATE STATISTICS "Odd schema"."select" ON a, b FROM public.parts;
CREATE STATISTICS public.of_part ON a, b FROM public.parts_1;
CREATE STATISTICS public.of_view ON x, y FROM public.kept;
CREATE STATISTICS public.of_foreign ON a, b FROM public.far;
CREATE STATISTICS public.n63_456789012345678901234567890123456789012345678901234567890_z ON a, b FROM public.t;
ALTER STATISTICS public.two SET STATISTICS 77;
ALTER STATISTICS "Odd schema"."Stat ""x"", ü" SET STATISTICS 0;
ALTER STATISTICS public.everything SET STATISTICS 10000;
ALTER STATISTICS public.distinct_only SET STATISTICS 5;
ALTER STATISTICS public.distinct_only SET STATISTICS -1;
ALTER STATISTICS public.two OWNER TO fidelity_stats;
COMMENT ON STATISTICS public.two IS 'it''s two';
COMMENT ON STATISTICS "Odd schema"."Stat ""x"", ü" IS E'two\nlines';

CREATE TABLE public.settings (
    plain integer, targeted integer, zero integer, "Odd ""col"", ü" text, many integer, dropped integer, after_dropped integer);
ALTER TABLE public.settings DROP COLUMN dropped;
ALTER TABLE public.settings ALTER COLUMN targeted SET STATISTICS 500, ALTER COLUMN zero SET STATISTICS 0,
    ALTER COLUMN "Odd ""col"", ü" SET STATISTICS 10000, ALTER COLUMN plain SET STATISTICS -1;
ALTER TABLE public.settings ALTER COLUMN targeted SET (n_distinct = 5), ALTER COLUMN many SET (n_distinct = -0.25, n_distinct_inherited = 1000),
    ALTER COLUMN after_dropped SET (n_distinct_inherited = -1);
CREATE INDEX on_expressions ON public.settings ((plain + 1), targeted, (lower("Odd ""col"", ü")), (many * 2));
ALTER INDEX public.on_expressions ALTER COLUMN 1 SET STATISTICS 33, ALTER COLUMN 3 SET STATISTICS 0, ALTER COLUMN 4 SET STATISTICS 10000;
CREATE INDEX "On ""odd"", ü" ON public.settings ((many + 3));
ALTER INDEX public."On ""odd"", ü" ALTER COLUMN 1 SET STATISTICS 44;
CREATE INDEX on_parts ON public.parts ((a + b));
ALTER INDEX public.on_parts ALTER COLUMN 1 SET STATISTICS 12;
ALTER MATERIALIZED VIEW public.kept ALTER COLUMN x SET STATISTICS 9, ALTER COLUMN y SET (n_distinct = 3);
