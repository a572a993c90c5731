-- Composite types.
DO $$ BEGIN CREATE ROLE fidelity_comp; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""comp""";
CREATE COLLATION public.german (PROVIDER = icu, LOCALE = 'de');
CREATE TYPE public.none AS ();
CREATE TYPE public.zz_inner AS (x int, y text COLLATE "C");
CREATE TYPE "Odd ""comp"""."Sel.ect ß" AS ("from" int, "Größe (cm)" numeric(5, 2), "a""b" varchar(10) COLLATE public.german, z public.zz_inner, zs public.zz_inner[],
    t time(3) with time zone, i interval day to second(2), b bit(3), vb bit varying(4), c char(5), n "char", iv interval(3), arr int[][], u text COLLATE pg_catalog."default");
CREATE TYPE public.dropped AS (a int, b int, c text);
ALTER TYPE public.dropped DROP ATTRIBUTE b;
ALTER TYPE public.dropped ADD ATTRIBUTE "d d" int;
ALTER TYPE public.dropped RENAME ATTRIBUTE a TO "A";
COMMENT ON TYPE public.zz_inner IS E'it''s \\ a type\n';
COMMENT ON COLUMN public.zz_inner.y IS E'it''s a \\ column';
COMMENT ON COLUMN public.dropped."d d" IS 'added';
COMMENT ON COLUMN "Odd ""comp"""."Sel.ect ß"."Größe (cm)" IS 'odd';
COMMENT ON COLUMN "Odd ""comp"""."Sel.ect ß"."from" IS 'first';
ALTER TYPE "Odd ""comp"""."Sel.ect ß" OWNER TO fidelity_comp;
REVOKE USAGE ON TYPE public.zz_inner FROM PUBLIC;
GRANT USAGE ON TYPE public.zz_inner TO fidelity_comp WITH GRANT OPTION;

-- Of tables' row types, views' row types, domains over composites, arrays of all of them.
CREATE TABLE public.rows (a int, b text);
CREATE VIEW public.seen AS SELECT a FROM public.rows;
CREATE DOMAIN public.dom AS public.zz_inner CHECK ((VALUE).x > 0);
CREATE TYPE public.of_rows AS (r public.rows, rs public.rows[], v public.seen, d public.dom, ds public.dom[]);
CREATE TABLE public.holds (o public.of_rows, e public.none, s "Odd ""comp"""."Sel.ect ß"[]);
CREATE TABLE public.typed OF public.zz_inner (PRIMARY KEY (x));
CREATE FUNCTION public.makes(int) RETURNS public.of_rows LANGUAGE sql AS $$ SELECT ROW(ROW(1, 'x'), NULL, NULL, NULL, NULL)::public.of_rows $$;
INSERT INTO public.holds VALUES (ROW(ROW(1, E'a,"b"\\'), ARRAY[ROW(2, NULL)::public.rows], ROW(3), ROW(4, 'x'), NULL), ROW(), NULL);
INSERT INTO public.typed VALUES (1, 'typed');

-- Views, functions, checks and partitions through several layers of types, some of an extension.
CREATE EXTENSION hstore;
CREATE TYPE public.a_x AS (a public.hstore, b text);
CREATE FUNCTION public.f(public.hstore[]) RETURNS public.a_x[] LANGUAGE sql AS 'SELECT NULL::public.a_x[]';
CREATE TABLE public.parent (a public.a_x[], b int) PARTITION BY RANGE (b);
CREATE VIEW public.v AS SELECT a[1] AS y, public.f(NULL) AS z FROM public.parent;
CREATE TYPE public.a_vt AS (v public.v, vs public.v[]);
CREATE FUNCTION public.g(public.a_vt[], public.parent[]) RETURNS SETOF public.v LANGUAGE sql AS 'SELECT NULL::public.v';
CREATE TABLE public.a_u (g public.a_vt DEFAULT NULL, CHECK ((g).v IS NULL OR true));
CREATE MATERIALIZED VIEW public.a_mv AS SELECT * FROM public.g(NULL, NULL);
CREATE DOMAIN public.a_dd AS public.hstore[] CHECK (public.f(VALUE) IS NULL);
CREATE TYPE public.a_rr AS RANGE (SUBTYPE = public.a_dd);
