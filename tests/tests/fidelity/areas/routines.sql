-- Functions and procedures with every option.
DO $$ BEGIN CREATE ROLE fidelity_fn; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "fidelity ""odd"" ß"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""fn""";
CREATE TYPE public.colour AS ENUM ('red', 'green');
CREATE TABLE public.t (a int, "B c" text);
CREATE DOMAIN public.posint AS int CHECK (VALUE > 0);

-- Volatility, strictness, security, parallel safety, costs and rows in every form.
CREATE FUNCTION public.plain() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.immutable_one(a int) RETURNS int LANGUAGE sql IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 0.5 AS 'SELECT a';
CREATE FUNCTION public.stable_one(int, b int) RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED COST 1e10 ROWS 1e8 AS 'SELECT b';
CREATE FUNCTION public.cheap() RETURNS int LANGUAGE sql COST 0.00001 AS 'SELECT 1';
CREATE FUNCTION public.cost_1() RETURNS int LANGUAGE sql COST 1 AS 'SELECT 1';
CREATE FUNCTION public.cost_third() RETURNS SETOF int LANGUAGE sql COST 0.333333333 ROWS 33.3333333 AS 'SELECT 1';
CREATE FUNCTION public.cost_million() RETURNS SETOF int LANGUAGE sql COST 1234567 ROWS 123456789 AS 'SELECT 1';
CREATE FUNCTION public.rows_usual() RETURNS SETOF int LANGUAGE sql COST 100 ROWS 1000 AS 'SELECT 1';
CREATE FUNCTION public.internal_1(int, int) RETURNS int LANGUAGE internal IMMUTABLE STRICT COST 1 AS 'int4pl';
CREATE FUNCTION public.internal_100(int, int) RETURNS int LANGUAGE internal IMMUTABLE STRICT COST 100 AS 'int4pl';
CREATE FUNCTION public.series(int, int) RETURNS SETOF int LANGUAGE internal IMMUTABLE STRICT ROWS 5 SUPPORT generate_series_int4_support AS 'generate_series_int4';
CREATE FUNCTION "Odd ""fn"""."sup (port"(internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'generate_series_int4_support';
CREATE FUNCTION public.series2(int, int) RETURNS SETOF int LANGUAGE internal IMMUTABLE STRICT SUPPORT "Odd ""fn"""."sup (port" AS 'generate_series_int4';
CREATE FUNCTION public.number_of_row() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE AS 'window_row_number';

-- C functions: with a link symbol, without, with quotes and backslashes in it.
SET check_function_bodies = off;
CREATE FUNCTION public.plpgsql_call_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql';
CREATE FUNCTION public.c_named() RETURNS language_handler LANGUAGE c COST 5 AS '$libdir/plpgsql', 'plpgsql_call_handler';
RESET check_function_bodies;

-- Settings: plain values, lists of names, quotes, empty elements, variables of extensions, current values.
CREATE FUNCTION public.set_plain() RETURNS int LANGUAGE sql SET work_mem = '8MB' SET enable_seqscan = off SET "DateStyle" TO 'ISO, DMY' AS 'SELECT 1';
CREATE FUNCTION public.set_path() RETURNS int LANGUAGE sql SET search_path = pg_catalog, "$user", "Odd ""fn""", "a, b", "UPPER", 'it''s' AS 'SELECT 1';
CREATE FUNCTION public.set_path_empty() RETURNS int LANGUAGE sql SET search_path = '' AS 'SELECT 1';
CREATE FUNCTION public.set_path_literal() RETURNS int LANGUAGE sql SET search_path = 'public, pg_temp' AS 'SELECT 1';
CREATE FUNCTION public.set_temp() RETURNS int LANGUAGE sql SET temp_tablespaces = 'pg_default', '' AS 'SELECT 1';
CREATE FUNCTION public.set_current() RETURNS int LANGUAGE sql SET work_mem FROM CURRENT SET search_path FROM CURRENT SET TimeZone FROM CURRENT AS 'SELECT 1';
CREATE FUNCTION public.set_own() RETURNS int LANGUAGE sql SET my.variable = E'it''s \\ odd\nvalue' SET my."Odd" = 'x' SET my.list = 'a, b' AS 'SELECT 1';
CREATE FUNCTION public.set_zone() RETURNS int LANGUAGE sql SET TIME ZONE 'Europe/Berlin' SET statement_timeout = 1000 SET application_name = 'x"y' AS 'SELECT 1';
CREATE FUNCTION public.set_long() RETURNS int LANGUAGE sql SET search_path = "123456789_123456789_123456789_123456789_123456789_123456789_123", public AS 'SELECT 1';

-- Arguments: names that need quotes, modes, defaults, variadic, tables, row types, polymorphic and pseudo types, arrays, domains.
CREATE FUNCTION public.defaults(a int DEFAULT 1, "B c" text DEFAULT 'it''s, (odd) "x"', c public.colour DEFAULT 'red', d int[] DEFAULT '{1,2}'::int[],
    e timestamptz DEFAULT now(), f public.posint DEFAULT 5, g text DEFAULT NULL) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.modes(IN a int, OUT b int, INOUT c text, VARIADIC d int[]) LANGUAGE sql AS 'SELECT 1, ''x''';
CREATE FUNCTION public.one_out(OUT "select" int) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.outs(OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql AS $$ SELECT 1, 'x' $$;
CREATE FUNCTION public.of_table(n int) RETURNS TABLE (a int, "B c" text) LANGUAGE sql AS 'SELECT 1, ''x''';
CREATE FUNCTION public.rows_of() RETURNS SETOF public.t LANGUAGE sql AS 'SELECT * FROM public.t';
CREATE FUNCTION public.of_row(public.t) RETURNS public.t LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.column_type(x public.t."B c"%TYPE) RETURNS public.t.a%TYPE LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.poly(anyelement, anyarray, VARIADIC "any") RETURNS anyarray LANGUAGE internal AS 'array_append';
CREATE FUNCTION public.poly2(anynonarray, anyenum, anyrange) RETURNS anyrange LANGUAGE sql AS 'SELECT $3';
CREATE FUNCTION public.poly3(a anycompatible, b anycompatiblearray) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.trigger_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION public.event_one() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE FUNCTION public.nothing() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION public.typmods(varchar(10), numeric(5, 2), char(3), timestamp(3) with time zone, bit varying(8)) RETURNS char LANGUAGE sql AS $$ SELECT 'x' $$;

-- Overloads, sorted by the number of arguments and the catalog's type names; a function and a procedure of one name.
CREATE FUNCTION public.many() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many(bigint) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many(integer) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many(integer[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many(public.colour) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many(char) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many("char") RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE public.many(boolean) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many(integer, boolean) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.many(double precision, time with time zone) RETURNS int LANGUAGE sql AS 'SELECT 1';

-- Names: quotes, keywords, dots, dollars, 63 bytes; bodies that hold dollar quotes.
CREATE FUNCTION "Odd ""fn"""."Sel.ect $1 ß"("from" int, "Größe" text) RETURNS int LANGUAGE sql AS 'SELECT "from"';
CREATE FUNCTION "Odd ""fn"""."table"() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public."123456789_123456789_123456789_123456789_123456789_123456789_123"() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public."new
line"() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.dollars() RETURNS text LANGUAGE sql AS $x$ SELECT $$a$$ || $_$b$_$ || '$' $x$;
CREATE FUNCTION public.ends_in_dollar() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN 1; END; -- $';
CREATE FUNCTION public.odd_body() RETURNS text LANGUAGE plpgsql AS E'BEGIN\r\n\tRETURN ''\\n\u00df'';\nEND;\n';
CREATE FUNCTION public.quoted_language() RETURNS int LANGUAGE "sql" AS 'SELECT 1';

-- Procedures.
CREATE PROCEDURE public.proc(INOUT a int DEFAULT 1, VARIADIC b text[] DEFAULT '{}') LANGUAGE plpgsql SECURITY DEFINER SET work_mem = '4MB' AS $$ BEGIN a := 2; END $$;
CREATE PROCEDURE "Odd ""fn"""."Pro c"(x int, INOUT y int) LANGUAGE sql AS 'SELECT x';

-- Comments, owners, grants.
COMMENT ON FUNCTION public.defaults IS E'it''s \\ a function\n';
COMMENT ON FUNCTION "Odd ""fn"""."Sel.ect $1 ß"(int, text) IS 'odd';
COMMENT ON PROCEDURE public.proc IS 'a procedure';
COMMENT ON FUNCTION public.modes(int, text, int[]) IS 'modes';
COMMENT ON FUNCTION public.number_of_row() IS 'a window function';
ALTER FUNCTION public.plain() OWNER TO fidelity_fn;
ALTER PROCEDURE public.proc OWNER TO "fidelity ""odd"" ß";
REVOKE ALL ON FUNCTION public.plain() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "Odd ""fn"""."Sel.ect $1 ß"(int, text) TO "fidelity ""odd"" ß" WITH GRANT OPTION;
GRANT EXECUTE ON PROCEDURE public.proc TO fidelity_fn;
REVOKE ALL ON PROCEDURE "Odd ""fn"""."Pro c" FROM PUBLIC;
GRANT ALL ON FUNCTION public.modes(int, text, int[]) TO fidelity_fn;

-- Bound to extensions without being their members; members stay out.
CREATE EXTENSION pg_trgm;
CREATE EXTENSION "uuid-ossp";
ALTER FUNCTION public.many(text) DEPENDS ON EXTENSION pg_trgm;
ALTER FUNCTION public.many(text) DEPENDS ON EXTENSION "uuid-ossp";
ALTER PROCEDURE "Odd ""fn"""."Pro c" DEPENDS ON EXTENSION "uuid-ossp";
ALTER FUNCTION public.defaults DEPENDS ON EXTENSION pg_trgm;
CREATE FUNCTION public.member() RETURNS int LANGUAGE sql AS 'SELECT 1';
