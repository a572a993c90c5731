-- Casts of every method and context, between built-in types, user types, domains and row types.
CREATE SCHEMA "Odd ""casts""";
CREATE TYPE public.colour AS ENUM ('red', 'green');
CREATE TYPE public."Pa ir" AS (a int, b text);
CREATE TYPE "Odd ""casts"""."Pa ir" AS (a int, b text);
CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);
CREATE TABLE public.rows (a int, b text);

-- With a function, in another schema, of an odd name, with the optional arguments, defined before and after in the alphabet.
CREATE FUNCTION public.to_int(public.colour) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT CASE $1 WHEN 'red' THEN 1 ELSE 2 END $$;
CREATE CAST (public.colour AS int) WITH FUNCTION public.to_int(public.colour);
COMMENT ON CAST (public.colour AS int) IS E'it''s \\ a cast\nto int';
CREATE FUNCTION "Odd ""casts"""."to, pair"(text) RETURNS public."Pa ir" LANGUAGE sql IMMUTABLE AS $$ SELECT ROW(1, $1)::public."Pa ir" $$;
CREATE CAST (text AS public."Pa ir") WITH FUNCTION "Odd ""casts"""."to, pair"(text) AS ASSIGNMENT;
COMMENT ON CAST (text AS public."Pa ir") IS 'odd';
CREATE FUNCTION public.from_pair(public."Pa ir", integer) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$ SELECT $1.b::varchar $$;
CREATE CAST (public."Pa ir" AS varchar) WITH FUNCTION public.from_pair(public."Pa ir", integer) AS IMPLICIT;
CREATE FUNCTION public.sized(varchar, int, boolean) RETURNS public.colour LANGUAGE sql IMMUTABLE AS $$ SELECT 'red'::public.colour $$;
CREATE CAST (varchar AS public.colour) WITH FUNCTION public.sized(varchar, int, boolean);
CREATE FUNCTION public.pair_to_pair(public."Pa ir") RETURNS "Odd ""casts"""."Pa ir" LANGUAGE sql IMMUTABLE AS $$ SELECT ROW($1.a, $1.b)::"Odd ""casts"""."Pa ir" $$;
CREATE CAST (public."Pa ir" AS "Odd ""casts"""."Pa ir") WITH FUNCTION public.pair_to_pair(public."Pa ir");

-- Row types, built-in types with user functions, arrays, a function of the system.
CREATE FUNCTION public.row_to_text(public.rows) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.b';
CREATE CAST (public.rows AS text) WITH FUNCTION public.row_to_text(public.rows) AS ASSIGNMENT;
CREATE FUNCTION public.bool_to_numeric(boolean) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1::int::numeric';
CREATE FUNCTION public.float_interval(float4) RETURNS interval LANGUAGE sql IMMUTABLE AS $$ SELECT $1 * interval '1 s' $$;
CREATE CAST (boolean AS numeric) WITH FUNCTION public.bool_to_numeric(boolean);
CREATE CAST (float4 AS interval) WITH FUNCTION public.float_interval(float4);
CREATE FUNCTION public.ints_to_text(int[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT array_to_string($1, '+') $$;
CREATE CAST (int[] AS "char") WITH INOUT;
CREATE CAST (int[] AS text) WITH FUNCTION public.ints_to_text(int[]) AS IMPLICIT;
CREATE CAST (text AS int4) WITH FUNCTION pg_catalog.length(text);
CREATE CAST (path AS float8) WITH FUNCTION pg_catalog.length(path);

-- In and out, without a function.
CREATE CAST (public.colour AS jsonb) WITH INOUT AS ASSIGNMENT;
CREATE CAST (xid AS int8) WITH INOUT AS IMPLICIT;
CREATE CAST (oid AS bit) WITH INOUT;
CREATE TYPE public.mine;
CREATE FUNCTION public.mine_in(cstring) RETURNS public.mine LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION public.mine_out(public.mine) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE public.mine (INPUT = public.mine_in, OUTPUT = public.mine_out, LIKE = int4);
CREATE CAST (public.mine AS int) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (int AS public.mine) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (public.mine AS date) WITHOUT FUNCTION;
COMMENT ON CAST (int AS public.mine) IS 'binary coercible';

-- From and to domains, which the server takes and then does not use.
CREATE FUNCTION public.pos_xml(public.positive) RETURNS xml LANGUAGE sql IMMUTABLE AS 'SELECT NULL::xml';
CREATE CAST (public.positive AS xml) WITH FUNCTION public.pos_xml(public.positive) AS IMPLICIT;
CREATE FUNCTION public.xml_pos(xml) RETURNS public.positive LANGUAGE sql IMMUTABLE AS 'SELECT 1::public.positive';
CREATE CAST (xml AS public.positive) WITH FUNCTION public.xml_pos(xml) AS ASSIGNMENT;
COMMENT ON CAST (public.positive AS xml) IS 'ignored';

-- What uses casts: a view and a default that need one.
CREATE VIEW public.v AS SELECT 'red'::public.colour::int AS n, ROW(1, 'x')::public."Pa ir"::varchar AS t, true::numeric AS b;
CREATE TABLE public.t (n int DEFAULT ('green'::public.colour)::int, m public.mine DEFAULT 5);

-- Casts of extensions stay out.
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE FUNCTION public.hstore_int(public.hstore) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (public.hstore AS int) WITH FUNCTION public.hstore_int(public.hstore);
CREATE CAST (public.citext AS uuid) WITH INOUT;
