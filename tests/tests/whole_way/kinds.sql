-- One of every kind of object that an archive of pg_dump 18 can hold, for psql as a superuser. Roles: role_owner, role_reader.
-- Lines that end in since or before and a major version are for such servers only.
CREATE SCHEMA kinds AUTHORIZATION role_owner;
CREATE SCHEMA "Kinds Two";
COMMENT ON SCHEMA kinds IS 'one of every kind';

-- Shell and base types, with what is made of them.
CREATE TYPE kinds.nothing_yet;
COMMENT ON TYPE kinds.nothing_yet IS 'a shell';
CREATE TYPE kinds.int7;
CREATE FUNCTION kinds.int7_in(cstring) RETURNS kinds.int7 LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION kinds.int7_out(kinds.int7) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE kinds.int7 (INPUT = kinds.int7_in, OUTPUT = kinds.int7_out, LIKE = integer, CATEGORY = 'N', DEFAULT = '7', DELIMITER = ';', COLLATABLE = false);
ALTER TYPE kinds.int7 OWNER TO role_owner;
GRANT USAGE ON TYPE kinds.int7 TO role_reader;
REVOKE USAGE ON TYPE kinds.int7 FROM PUBLIC;
COMMENT ON TYPE kinds.int7 IS 'a base type';
CREATE TYPE kinds.mood AS ENUM ('good', 'b''ad', 'ÜGLY');
CREATE TYPE kinds.pair AS (a integer, b text COLLATE "C");
CREATE TYPE kinds.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi, MULTIRANGE_TYPE_NAME = kinds.spans); -- since 14
CREATE TYPE kinds.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi); -- before 14
CREATE DOMAIN kinds.even AS integer DEFAULT 2 NOT NULL CONSTRAINT is_even CHECK (VALUE % 2 = 0);

-- Functions and what hangs on them.
CREATE FUNCTION kinds.int7_lt(kinds.int7, kinds.int7) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'int4lt';
CREATE FUNCTION kinds.int7_le(kinds.int7, kinds.int7) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION kinds.int7_eq(kinds.int7, kinds.int7) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION kinds.int7_ge(kinds.int7, kinds.int7) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION kinds.int7_gt(kinds.int7, kinds.int7) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION kinds.int7_cmp(kinds.int7, kinds.int7) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE FUNCTION kinds.to_text(kinds.int7) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT kinds.int7_out($1)::text';
ALTER FUNCTION kinds.to_text(kinds.int7) OWNER TO role_owner;
GRANT EXECUTE ON FUNCTION kinds.to_text(kinds.int7) TO role_reader WITH GRANT OPTION;
CREATE FUNCTION kinds.standard(a integer DEFAULT 1, OUT b integer) LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END; -- since 14
CREATE FUNCTION kinds.standard(a integer DEFAULT 1, OUT b integer) LANGUAGE sql AS 'SELECT a + 1'; -- before 14
CREATE PROCEDURE kinds.act(INOUT a integer) LANGUAGE plpgsql SET work_mem TO '1MB' AS $$BEGIN a := a + 1; END$$;
CREATE AGGREGATE kinds.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
ALTER AGGREGATE kinds.total(integer) OWNER TO role_owner;
CREATE CAST (kinds.int7 AS text) WITH FUNCTION kinds.to_text(kinds.int7) AS ASSIGNMENT;
CREATE CAST (kinds.int7 AS integer) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (kinds.int7 AS integer) IS 'the same bytes';
CREATE CAST (kinds.pair AS text) WITH INOUT;
CREATE OPERATOR kinds.< (FUNCTION = kinds.int7_lt, LEFTARG = kinds.int7, RIGHTARG = kinds.int7, COMMUTATOR = OPERATOR(kinds.>), NEGATOR = OPERATOR(kinds.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR kinds.<= (FUNCTION = kinds.int7_le, LEFTARG = kinds.int7, RIGHTARG = kinds.int7);
CREATE OPERATOR kinds.= (FUNCTION = kinds.int7_eq, LEFTARG = kinds.int7, RIGHTARG = kinds.int7, COMMUTATOR = OPERATOR(kinds.=), HASHES, MERGES);
CREATE OPERATOR kinds.>= (FUNCTION = kinds.int7_ge, LEFTARG = kinds.int7, RIGHTARG = kinds.int7);
CREATE OPERATOR kinds.> (FUNCTION = kinds.int7_gt, LEFTARG = kinds.int7, RIGHTARG = kinds.int7);
CREATE OPERATOR kinds.!! (FUNCTION = kinds.to_text, RIGHTARG = kinds.int7);
ALTER OPERATOR kinds.!! (NONE, kinds.int7) OWNER TO role_owner;
COMMENT ON OPERATOR kinds.!! (NONE, kinds.int7) IS 'prefix';
CREATE OPERATOR FAMILY kinds.int7_family USING btree;
ALTER OPERATOR FAMILY kinds.int7_family USING btree OWNER TO role_owner;
CREATE OPERATOR CLASS kinds.int7_class DEFAULT FOR TYPE kinds.int7 USING btree FAMILY kinds.int7_family AS
    OPERATOR 1 kinds.<, OPERATOR 2 kinds.<=, OPERATOR 3 kinds.=, OPERATOR 4 kinds.>=, OPERATOR 5 kinds.>, FUNCTION 1 kinds.int7_cmp(kinds.int7, kinds.int7);
ALTER OPERATOR CLASS kinds.int7_class USING btree OWNER TO role_owner;
COMMENT ON OPERATOR CLASS kinds.int7_class USING btree IS 'sorts';

CREATE COLLATION kinds.german (PROVIDER = libc, LC_COLLATE = 'POSIX', LC_CTYPE = 'C');
CREATE COLLATION kinds.plain (PROVIDER = libc, LOCALE = 'C');
ALTER COLLATION kinds.plain OWNER TO role_owner;
CREATE DEFAULT CONVERSION kinds.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
ALTER CONVERSION kinds.latin OWNER TO role_owner;

-- Languages and transforms.
CREATE FUNCTION kinds.call() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION kinds.inline(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION kinds.validate(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE plother HANDLER kinds.call INLINE kinds.inline VALIDATOR kinds.validate;
ALTER LANGUAGE plother OWNER TO role_owner;
GRANT USAGE ON LANGUAGE plother TO role_reader;
REVOKE USAGE ON LANGUAGE plother FROM PUBLIC;
COMMENT ON LANGUAGE plother IS 'another';
CREATE FUNCTION kinds.by_other(a integer) RETURNS integer LANGUAGE plother AS $_$BEGIN RETURN a; END$_$;
CREATE FUNCTION kinds.from_sql(internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'prsd_lextype';
CREATE FUNCTION kinds.to_sql(internal) RETURNS kinds.pair LANGUAGE internal IMMUTABLE STRICT AS 'record_recv';
CREATE TRANSFORM FOR kinds.pair LANGUAGE plother (FROM SQL WITH FUNCTION kinds.from_sql(internal), TO SQL WITH FUNCTION kinds.to_sql(internal));

-- Access methods.
CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON ACCESS METHOD other_heap IS 'heap by another name';
CREATE ACCESS METHOD other_btree TYPE INDEX HANDLER bthandler;
CREATE OPERATOR CLASS kinds.other_int_class DEFAULT FOR TYPE integer USING other_btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
CREATE TABLE kinds.elsewhere (a integer) USING other_heap;
INSERT INTO kinds.elsewhere SELECT generate_series(1, 100);
CREATE INDEX elsewhere_a ON kinds.elsewhere USING other_btree (a); -- since 18
CREATE TABLE kinds.parts (a integer, b text) PARTITION BY RANGE (a) USING other_heap; -- since 17
CREATE TABLE kinds.parts (a integer, b text) PARTITION BY RANGE (a); -- before 17
CREATE TABLE kinds.parts_1 PARTITION OF kinds.parts FOR VALUES FROM (0) TO (100);
CREATE TABLE kinds.parts_2 PARTITION OF kinds.parts FOR VALUES FROM (100) TO (200) USING heap;
INSERT INTO kinds.parts SELECT i, 'part ' || i FROM generate_series(0, 199) i;

-- Text search.
CREATE TEXT SEARCH PARSER kinds.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
COMMENT ON TEXT SEARCH PARSER kinds.words IS 'words';
CREATE TEXT SEARCH TEMPLATE kinds.simply (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY kinds.all_words (TEMPLATE = kinds.simply, ACCEPT = 'true');
ALTER TEXT SEARCH DICTIONARY kinds.all_words OWNER TO role_owner;
CREATE TEXT SEARCH CONFIGURATION kinds.search (PARSER = kinds.words);
ALTER TEXT SEARCH CONFIGURATION kinds.search ADD MAPPING FOR asciiword, word WITH kinds.all_words;
ALTER TEXT SEARCH CONFIGURATION kinds.search OWNER TO role_owner;

-- Foreign data.
CREATE FOREIGN DATA WRAPPER "other data" OPTIONS (debug 'tr''ue');
GRANT USAGE ON FOREIGN DATA WRAPPER "other data" TO role_reader;
CREATE SERVER "far; away" TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER "other data" OPTIONS (host 'h');
ALTER SERVER "far; away" OWNER TO role_owner;
GRANT USAGE ON FOREIGN SERVER "far; away" TO role_reader;
CREATE USER MAPPING FOR role_reader SERVER "far; away" OPTIONS ("user" 'u', password 'p; q');
CREATE USER MAPPING FOR PUBLIC SERVER "far; away";
CREATE FOREIGN TABLE kinds.remote (a integer OPTIONS (name 'A') NOT NULL, b text) SERVER "far; away" OPTIONS (t 'u');
ALTER FOREIGN TABLE kinds.remote OWNER TO role_owner;
GRANT SELECT (a) ON kinds.remote TO role_reader;

-- Tables with everything on them.
CREATE TABLE kinds.main (
    id integer GENERATED BY DEFAULT AS IDENTITY (START 5 INCREMENT 2) PRIMARY KEY,
    seven kinds.int7,
    even kinds.even,
    mood kinds.mood DEFAULT 'good',
    name text COLLATE kinds.german,
    double integer GENERATED ALWAYS AS (id * 2) STORED,
    during int4range,
    words tsvector,
    EXCLUDE USING gist (during WITH &&)
);
INSERT INTO kinds.main (seven, name, during, words) SELECT i::text::kinds.int7, 'name ' || i % 50, int4range(i, i + 1), to_tsvector('simple', 'word' || i) FROM generate_series(1, 500) i;
ALTER TABLE kinds.main OWNER TO role_owner;
ALTER TABLE kinds.main ALTER name SET STATISTICS 77, ALTER name SET (n_distinct = -0.5);
CREATE INDEX main_seven ON kinds.main (seven);
CREATE INDEX main_upper ON kinds.main (upper(name COLLATE "C"), (id % 3));
ALTER INDEX kinds.main_upper ALTER COLUMN 2 SET STATISTICS 33;
ALTER TABLE kinds.main CLUSTER ON main_seven;
CREATE UNIQUE INDEX main_identity ON kinds.main (id);
ALTER TABLE kinds.main REPLICA IDENTITY USING INDEX main_identity;
CREATE STATISTICS kinds.dependent (dependencies, ndistinct, mcv) ON mood, name FROM kinds.main;
ALTER STATISTICS kinds.dependent SET STATISTICS 66;
ALTER STATISTICS kinds.dependent OWNER TO role_owner;
COMMENT ON STATISTICS kinds.dependent IS 'depends';
CREATE TABLE kinds.other (id integer REFERENCES kinds.main DEFERRABLE, note text, CONSTRAINT noted CHECK (note <> '') NOT VALID);
INSERT INTO kinds.other SELECT 5 + 2 * i, 'note' FROM generate_series(0, 99) i;
ALTER TABLE kinds.other ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY "to; nobody" ON kinds.other AS RESTRICTIVE FOR UPDATE TO role_reader, role_owner USING (note = 'to x') WITH CHECK (true);
COMMENT ON POLICY "to; nobody" ON kinds.other IS 'a policy';
CREATE FUNCTION kinds.fire() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER fires BEFORE UPDATE OF note ON kinds.other FOR EACH ROW WHEN (NEW.note IS NOT NULL) EXECUTE FUNCTION kinds.fire();
ALTER TABLE kinds.other DISABLE TRIGGER fires;
CREATE VIEW kinds.seen WITH (security_barrier) AS SELECT id, note FROM kinds.other WHERE id > 0 WITH LOCAL CHECK OPTION;
CREATE RULE ruled AS ON DELETE TO kinds.seen DO INSTEAD NOTHING;
ALTER VIEW kinds.seen OWNER TO role_owner;
CREATE MATERIALIZED VIEW kinds.counted AS SELECT mood, count(*) AS n FROM kinds.main GROUP BY mood;
CREATE INDEX counted_n ON kinds.counted (n);
CREATE VIEW kinds.grouped AS SELECT id, name, count(*) FROM kinds.main GROUP BY id;
CREATE SEQUENCE kinds.numbers AS smallint START 7 CYCLE;
SELECT nextval('kinds.numbers');
ALTER DEFAULT PRIVILEGES FOR ROLE role_owner IN SCHEMA kinds GRANT SELECT ON TABLES TO role_reader;
GRANT SELECT (id, name), INSERT ON kinds.main TO role_reader;

-- Replication.
CREATE PUBLICATION "everything; --" FOR ALL TABLES WITH (publish = 'insert', publish_via_partition_root);
CREATE PUBLICATION partly FOR TABLE kinds.main (id, name) WHERE (id > 5), kinds.parts; -- since 15
CREATE PUBLICATION partly FOR TABLE kinds.main, kinds.parts; -- before 15
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA "Kinds Two"; -- since 15
ALTER PUBLICATION partly OWNER TO role_owner;
COMMENT ON PUBLICATION partly IS 'some of it';
-- What pg_dump 18 writes of a subscription, servers before 16 do not know.
CREATE SUBSCRIPTION subscribed CONNECTION 'host=nowhere.invalid dbname=x' PUBLICATION partly, "every""thing" WITH (connect = false, slot_name = NONE, streaming = off); -- since 16
COMMENT ON SUBSCRIPTION subscribed IS 'disabled'; -- since 16

CREATE FUNCTION kinds.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'an event trigger fired during a restore'; END$$;
CREATE EVENT TRIGGER watched ON ddl_command_end WHEN TAG IN ('CREATE CONVERSION') EXECUTE FUNCTION kinds.watch();
COMMENT ON EVENT TRIGGER watched IS 'watches';
CREATE EVENT TRIGGER slept ON sql_drop EXECUTE FUNCTION kinds.watch();
ALTER EVENT TRIGGER slept DISABLE;

SELECT lo_from_bytea(820001, 'one'), lo_from_bytea(820002, 'two'), lo_from_bytea(820003, '');
ALTER LARGE OBJECT 820002 OWNER TO role_owner;
GRANT SELECT ON LARGE OBJECT 820001 TO role_reader;
GRANT SELECT ON LARGE OBJECT 820003 TO role_reader;
COMMENT ON LARGE OBJECT 820002 IS 'second';
-- Statistics are compared: nothing else may make them.
ALTER TABLE kinds.elsewhere SET (autovacuum_enabled = off);
ALTER TABLE kinds.parts_1 SET (autovacuum_enabled = off);
ALTER TABLE kinds.parts_2 SET (autovacuum_enabled = off);
ALTER TABLE kinds.main SET (autovacuum_enabled = off);
ALTER TABLE kinds.other SET (autovacuum_enabled = off);
ALTER MATERIALIZED VIEW kinds.counted SET (autovacuum_enabled = off);
ANALYZE;
