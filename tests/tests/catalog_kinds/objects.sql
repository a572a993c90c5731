-- Objects of the kinds that stand without relations, as a database may hold them: odd names, every option, cycles.
CREATE SCHEMA app AUTHORIZATION kinds_alice;
CREATE SCHEMA "Odd ""Schema";
COMMENT ON SCHEMA app IS 'it''s the app, with a \ and
a second line';
GRANT USAGE ON SCHEMA app TO kinds_bob;
GRANT ALL ON SCHEMA app TO "kinds ""Odd" WITH GRANT OPTION;
GRANT CREATE ON SCHEMA public TO kinds_bob;
COMMENT ON SCHEMA public IS NULL;

-- Enums, composites, ranges.
CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok', 'back\slash', 'two
lines', '');
ALTER TYPE app.mood ADD VALUE 'first' BEFORE 'sad';
CREATE TYPE app.no_labels AS ENUM ();
CREATE TYPE app."Pair" AS (a integer, "B b" varchar(10) COLLATE "C", gone integer, m app.mood[], "select" numeric(8, 2));
ALTER TYPE app."Pair" DROP ATTRIBUTE gone;
CREATE TYPE "Odd ""Schema".empty AS ();
CREATE TYPE app.later AS (p app."Pair", q "Odd ""Schema".empty[]);
COMMENT ON TYPE app."Pair" IS 'a pair';
COMMENT ON COLUMN app."Pair"."B b" IS 'the second';
ALTER TYPE app.mood OWNER TO kinds_alice;
GRANT USAGE ON TYPE app.mood TO kinds_bob;
REVOKE ALL ON TYPE app.mood FROM PUBLIC;
CREATE FUNCTION app.text_gap(a text, b text) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT (length(a) - length(b))::double precision';
CREATE TYPE app.text_range AS RANGE (SUBTYPE = text, SUBTYPE_OPCLASS = text_pattern_ops, COLLATION = "C", SUBTYPE_DIFF = app.text_gap);
CREATE TYPE app.float_range AS RANGE (SUBTYPE = double precision, SUBTYPE_DIFF = float8mi);
CREATE FUNCTION app.width(r app.float_range) RETURNS double precision LANGUAGE sql AS 'SELECT upper(r) - lower(r)';

-- Domains.
CREATE DOMAIN app.positive AS integer DEFAULT 1 CONSTRAINT pos CHECK (VALUE > 0) CHECK (VALUE < 1000000);
CREATE DOMAIN app.named AS text COLLATE "C" DEFAULT 'x''y' CONSTRAINT must NOT NULL;
CREATE DOMAIN app.unnamed AS varchar(20) NOT NULL;
CREATE DOMAIN app.many AS app.positive[] CHECK (array_length(VALUE, 1) < 5);
CREATE DOMAIN app.late AS integer;
ALTER DOMAIN app.late ADD CONSTRAINT late_check CHECK (VALUE <> 7) NOT VALID;
COMMENT ON DOMAIN app.positive IS 'more than nothing';
COMMENT ON CONSTRAINT pos ON DOMAIN app.positive IS 'inside';
COMMENT ON CONSTRAINT late_check ON DOMAIN app.late IS 'apart';
CREATE DOMAIN app.round AS integer;
CREATE FUNCTION app.round_ok(app.round) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER DOMAIN app.round ADD CONSTRAINT turns CHECK (app.round_ok(VALUE::app.round));
CREATE TYPE app.holder AS (r app.float_range);
CREATE DOMAIN app.in_range AS double precision CHECK (VALUE <@ app.float_range(0, 1));
ALTER DOMAIN app.late OWNER TO kinds_alice;
REVOKE USAGE ON DOMAIN app.positive FROM PUBLIC;

-- Functions and procedures.
CREATE FUNCTION app.f() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION app.f(integer, b text DEFAULT 'it''s', VARIADIC c integer[] DEFAULT '{}') RETURNS SETOF app."Pair"
    LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER LEAKPROOF COST 12.5 ROWS 7 PARALLEL RESTRICTED
    SET search_path TO app, "Odd ""Schema", '$user', '' SET work_mem TO '4MB' SET "app.My_var" TO 'a, b'
    AS $f$ BEGIN RETURN; /* $$ $_$ \ ' */ END $f$;
CREATE FUNCTION app.g(INOUT a integer, OUT "Out B" text) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT a, 'costs $5' $$;
CREATE FUNCTION app.t(anyelement) RETURNS TABLE (x integer, y app.mood) LANGUAGE sql AS $$ SELECT 1, NULL::app.mood $$;
CREATE FUNCTION "Odd ""Schema"."F f"(app.positive, app.mood[], app.text_range) RETURNS app.positive LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.win() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE AS 'window_row_number';
CREATE FUNCTION app.plus(integer, integer) RETURNS integer LANGUAGE internal STRICT COST 3 AS 'int4pl';
CREATE PROCEDURE app.p(INOUT n integer, IN note text DEFAULT NULL) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';
CREATE FUNCTION app.trig() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION app.keeps() RETURNS integer LANGUAGE sql SUPPORT generate_series_int4_support AS 'SELECT 1';
CREATE FUNCTION app.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION app.transformed(integer) RETURNS integer LANGUAGE sql TRANSFORM FOR TYPE integer AS 'SELECT $1';
COMMENT ON FUNCTION app.f(integer, text, integer[]) IS 'long';
COMMENT ON PROCEDURE app.p(integer, text) IS 'proc';
REVOKE EXECUTE ON FUNCTION app.f() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.f(integer, text, integer[]) TO kinds_bob WITH GRANT OPTION;
GRANT EXECUTE ON PROCEDURE app.p(integer, text) TO "kinds ""Odd";
ALTER FUNCTION app.g(integer) OWNER TO kinds_alice;

-- Aggregates.
CREATE AGGREGATE app.mean(double precision) (SFUNC = float8_accum, STYPE = double precision[], FINALFUNC = float8_avg,
    INITCOND = '{0,0,0}', COMBINEFUNC = float8_combine, PARALLEL = SAFE);
CREATE AGGREGATE app.total(v bigint) (SFUNC = int8_avg_accum, STYPE = internal, SSPACE = 48, FINALFUNC = numeric_poly_sum,
    COMBINEFUNC = int8_avg_combine, SERIALFUNC = int8_avg_serialize, DESERIALFUNC = int8_avg_deserialize,
    MSFUNC = int8_avg_accum, MINVFUNC = int8_avg_accum_inv, MSTYPE = internal, MSSPACE = 48, MFINALFUNC = numeric_poly_sum,
    MFINALFUNC_MODIFY = SHAREABLE);
CREATE AGGREGATE app.pick(double precision ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
    FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA, FINALFUNC_MODIFY = SHAREABLE);
CREATE AGGREGATE app.place(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal,
    FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE AGGREGATE app."Most"(integer) (SFUNC = int4larger, STYPE = integer, SORTOP = OPERATOR(pg_catalog.>));
CREATE AGGREGATE app.cnt(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0', PARALLEL = RESTRICTED);
COMMENT ON AGGREGATE app.cnt(*) IS 'counts';
COMMENT ON AGGREGATE app.total(bigint) IS 'sums';
GRANT EXECUTE ON FUNCTION app.cnt() TO kinds_bob;
REVOKE ALL ON FUNCTION app.total(bigint) FROM PUBLIC;
ALTER AGGREGATE app.mean(double precision) OWNER TO kinds_alice;

-- Default privileges.
ALTER DEFAULT PRIVILEGES FOR ROLE kinds_alice GRANT SELECT ON TABLES TO kinds_bob;
ALTER DEFAULT PRIVILEGES FOR ROLE kinds_alice IN SCHEMA app GRANT SELECT, INSERT ON TABLES TO kinds_bob WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE kinds_alice REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "kinds ""Odd" IN SCHEMA "Odd ""Schema" GRANT USAGE ON SEQUENCES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE kinds_alice REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE kinds_alice GRANT USAGE ON SCHEMAS TO kinds_bob;

-- Changed grants of objects that initdb made.
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_authid TO kinds_bob;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO kinds_alice;

-- A range type whose canonical function needs the type: a shell first.
CREATE TYPE app.steps;
CREATE FUNCTION app.steps_canonical(app.steps) RETURNS app.steps LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE TYPE app.steps AS RANGE (SUBTYPE = integer, CANONICAL = app.steps_canonical);
COMMENT ON TYPE app.steps IS 'canonical';
