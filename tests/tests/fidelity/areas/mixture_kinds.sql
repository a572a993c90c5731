-- Every kind that stands without relations, with odd names, every option, cycles, grants and comments.
DO $$ BEGIN CREATE ROLE fidelity_a; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE fidelity_b; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE fidelity_c; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "fidelity_Odd ""Role"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE TRANSFORM FOR integer LANGUAGE sql
    (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
-- Objects of the kinds that stand without relations, as a database may hold them: odd names, every option, cycles.
CREATE SCHEMA app AUTHORIZATION fidelity_a;
CREATE SCHEMA "Odd ""Schema";
COMMENT ON SCHEMA app IS 'it''s the app, with a \ and
a second line';
GRANT USAGE ON SCHEMA app TO fidelity_b;
GRANT ALL ON SCHEMA app TO "fidelity_Odd ""Role" WITH GRANT OPTION;
GRANT CREATE ON SCHEMA public TO fidelity_b;
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
ALTER TYPE app.mood OWNER TO fidelity_a;
GRANT USAGE ON TYPE app.mood TO fidelity_b;
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
ALTER DOMAIN app.late OWNER TO fidelity_a;
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
GRANT EXECUTE ON FUNCTION app.f(integer, text, integer[]) TO fidelity_b WITH GRANT OPTION;
GRANT EXECUTE ON PROCEDURE app.p(integer, text) TO "fidelity_Odd ""Role";
ALTER FUNCTION app.g(integer) OWNER TO fidelity_a;

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
GRANT EXECUTE ON FUNCTION app.cnt() TO fidelity_b;
REVOKE ALL ON FUNCTION app.total(bigint) FROM PUBLIC;
ALTER AGGREGATE app.mean(double precision) OWNER TO fidelity_a;

-- Default privileges.
ALTER DEFAULT PRIVILEGES FOR ROLE fidelity_a GRANT SELECT ON TABLES TO fidelity_b;
ALTER DEFAULT PRIVILEGES FOR ROLE fidelity_a IN SCHEMA app GRANT SELECT, INSERT ON TABLES TO fidelity_b WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE fidelity_a REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "fidelity_Odd ""Role" IN SCHEMA "Odd ""Schema" GRANT USAGE ON SEQUENCES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE fidelity_a REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE fidelity_a GRANT USAGE ON SCHEMAS TO fidelity_b;

-- Changed grants of objects that initdb made.
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_authid TO fidelity_b;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO fidelity_a;

-- A range type whose canonical function needs the type: a shell first.
CREATE TYPE app.steps;
CREATE FUNCTION app.steps_canonical(app.steps) RETURNS app.steps LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE TYPE app.steps AS RANGE (SUBTYPE = integer, CANONICAL = app.steps_canonical);
COMMENT ON TYPE app.steps IS 'canonical';
SELECT lo_create(770001), lo_create(770002), lo_create(4294967290);
ALTER LARGE OBJECT 770001 OWNER TO fidelity_a;
GRANT SELECT ON LARGE OBJECT 770001 TO fidelity_b;
COMMENT ON LARGE OBJECT 770002 IS 'large';
-- Relations for grants and comments to stand on; made the same way on both sides.
CREATE TABLE app.t (id integer PRIMARY KEY, "Odd ""c" text, n integer CONSTRAINT n_small CHECK (n < 10));
CREATE TABLE app."T ""2" (id integer REFERENCES app.t, v text);
CREATE VIEW app.v AS SELECT id, n FROM app.t;
CREATE MATERIALIZED VIEW app.mv AS SELECT id FROM app.t;
CREATE SEQUENCE app.s;
CREATE INDEX t_n ON app.t (n);
CREATE TRIGGER trg BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.trig();
CREATE RULE "Rule 1" AS ON DELETE TO app.t DO INSTEAD NOTHING;
CREATE POLICY pol ON app.t USING (id > 0);
CREATE TABLE app.parts (id integer, ref integer, CONSTRAINT parts_ref FOREIGN KEY (ref) REFERENCES app.t) PARTITION BY LIST (id);
CREATE TABLE app.part_1 PARTITION OF app.parts FOR VALUES IN (1);
ALTER TABLE app.t OWNER TO fidelity_a;
GRANT SELECT, UPDATE ON app.t TO fidelity_b WITH GRANT OPTION;
GRANT SELECT (id), INSERT ("Odd ""c") ON app.t TO "fidelity_Odd ""Role";
GRANT SELECT (n) ON app.t TO PUBLIC;
SET SESSION AUTHORIZATION fidelity_b;
GRANT SELECT ON app.t TO "fidelity_Odd ""Role" WITH GRANT OPTION;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION "fidelity_Odd ""Role";
GRANT SELECT ON app.t TO fidelity_c;
RESET SESSION AUTHORIZATION;
GRANT ALL ON app."T ""2" TO fidelity_b;
GRANT SELECT ON app."T ""2" TO PUBLIC;
REVOKE ALL ON app.v FROM CURRENT_USER;
GRANT SELECT ON app.v TO CURRENT_USER;
GRANT SELECT ON app.mv TO fidelity_b;
GRANT USAGE ON SEQUENCE app.s TO fidelity_b;
GRANT ALL ON SEQUENCE app.s TO fidelity_a;
COMMENT ON TABLE app.t IS 'a table';
COMMENT ON TABLE app."T ""2" IS '';
COMMENT ON TABLE app."T ""2" IS '-- looks like a comment
\! echo';
COMMENT ON COLUMN app.t."Odd ""c" IS 'col';
COMMENT ON COLUMN app.v.n IS 'view col';
COMMENT ON VIEW app.v IS 'a view';
COMMENT ON MATERIALIZED VIEW app.mv IS 'a matview';
COMMENT ON SEQUENCE app.s IS 'a sequence';
COMMENT ON INDEX app.t_n IS 'an index';
COMMENT ON INDEX app.t_pkey IS 'the index of a key';
COMMENT ON CONSTRAINT t_pkey ON app.t IS 'a key';
COMMENT ON CONSTRAINT n_small ON app.t IS 'inside the table';
COMMENT ON CONSTRAINT parts_ref ON app.parts IS 'a foreign key';
COMMENT ON CONSTRAINT parts_ref ON app.part_1 IS 'inherited';
COMMENT ON TRIGGER trg ON app.t IS 'a trigger';
COMMENT ON RULE "Rule 1" ON app.t IS 'a rule';
COMMENT ON RULE "_RETURN" ON app.v IS 'a view''s rule';
COMMENT ON POLICY pol ON app.t IS 'a policy';
