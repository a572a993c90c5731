-- Procedural languages with handlers of one's own, and transforms.
DO $$ BEGIN CREATE ROLE fidelity_lang; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""lang""";
CREATE FUNCTION public.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION "Odd ""lang"""."in (line"(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION "Odd ""lang"""."select"(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE LANGUAGE plain HANDLER public.handler;
CREATE TRUSTED LANGUAGE trusted HANDLER public.handler INLINE "Odd ""lang"""."in (line" VALIDATOR "Odd ""lang"""."select";
CREATE TRUSTED PROCEDURAL LANGUAGE "Odd ""Lang"" ß" HANDLER public.handler VALIDATOR "Odd ""lang"""."select";
CREATE LANGUAGE inline_only HANDLER public.handler INLINE "Odd ""lang"""."in (line";
COMMENT ON LANGUAGE trusted IS E'it''s \\ a language\n';
COMMENT ON LANGUAGE "Odd ""Lang"" ß" IS 'odd';
ALTER LANGUAGE trusted OWNER TO fidelity_lang;
REVOKE USAGE ON LANGUAGE trusted FROM PUBLIC;
GRANT USAGE ON LANGUAGE trusted TO fidelity_lang WITH GRANT OPTION;
GRANT USAGE ON LANGUAGE "Odd ""Lang"" ß" TO fidelity_lang;

-- Functions in them.
CREATE FUNCTION public.a_plain() RETURNS int LANGUAGE plain AS 'BEGIN RETURN 1; END';
CREATE FUNCTION public.trusted(n int) RETURNS int LANGUAGE trusted AS $$BEGIN RETURN n + 1; END$$;
CREATE PROCEDURE public.odd(n int) LANGUAGE "Odd ""Lang"" ß" AS $$BEGIN NULL; END$$;
CREATE TABLE public.t (n int DEFAULT public.trusted(1));

-- Transforms: one direction, the other, both; types of the user; functions that name transforms.
CREATE TYPE public."Pa ir" AS (a int, b text);
CREATE DOMAIN public.posint AS int CHECK (VALUE > 0);
CREATE FUNCTION public.from_int(internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION public.to_int(internal) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION "Odd ""lang"""."fr om"(internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION "Odd ""lang"""."t o"(internal) RETURNS public."Pa ir" LANGUAGE internal IMMUTABLE STRICT AS 'record_in';
CREATE TRANSFORM FOR int LANGUAGE trusted (FROM SQL WITH FUNCTION public.from_int(internal), TO SQL WITH FUNCTION public.to_int(internal));
CREATE TRANSFORM FOR public."Pa ir" LANGUAGE "Odd ""Lang"" ß" (TO SQL WITH FUNCTION "Odd ""lang"""."t o"(internal), FROM SQL WITH FUNCTION "Odd ""lang"""."fr om"(internal));
CREATE TRANSFORM FOR bigint LANGUAGE sql (FROM SQL WITH FUNCTION public.from_int(internal));
CREATE TRANSFORM FOR int LANGUAGE plain (TO SQL WITH FUNCTION public.to_int(internal));
CREATE TRANSFORM FOR varchar LANGUAGE plain (FROM SQL WITH FUNCTION prsd_lextype(internal));
COMMENT ON TRANSFORM FOR int LANGUAGE trusted IS E'it''s \\ a transform\n';
COMMENT ON TRANSFORM FOR public."Pa ir" LANGUAGE "Odd ""Lang"" ß" IS 'odd';
CREATE FUNCTION public.transformed(int) RETURNS int TRANSFORM FOR TYPE int LANGUAGE trusted AS 'BEGIN RETURN 1; END';
CREATE FUNCTION public.transformed(bigint, int) RETURNS int TRANSFORM FOR TYPE bigint LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.transformed(public."Pa ir") RETURNS int TRANSFORM FOR TYPE public."Pa ir" LANGUAGE "Odd ""Lang"" ß" AS 'BEGIN RETURN 1; END';
