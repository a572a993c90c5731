-- Things of several schemas that use each other.
DO $$ BEGIN CREATE ROLE fidelity_a; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE fidelity_b; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "fidelity_Odd ""Role"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA "B";
-- Renamed sequences, sequences owned by and used by several, across schemas.
CREATE TABLE a.s (id serial, n bigserial);
ALTER SEQUENCE a.s_id_seq RENAME TO "Other Name";
CREATE TABLE b.uses_as (id int DEFAULT nextval('a."Other Name"'), again int DEFAULT currval('a.s_n_seq'));
CREATE SEQUENCE a.moved OWNED BY a.s.n;
ALTER TABLE a.s ALTER COLUMN n SET DEFAULT nextval('a.moved');
CREATE TABLE a.part_serial (id serial, k int) PARTITION BY LIST (k);
CREATE TABLE a.part_serial_1 PARTITION OF a.part_serial FOR VALUES IN (1);
CREATE TABLE b.part_serial_2 PARTITION OF a.part_serial DEFAULT;
INSERT INTO a.part_serial (k) VALUES (1), (2), (3);
CREATE TABLE a.inherits_serial () INHERITS (a.s);
-- A table with the name of a type in another schema, a type that needs a table that needs a type.
CREATE TYPE a.thing AS ENUM ('x');
CREATE TABLE b.thing (t a.thing, many a.thing[]);
CREATE TYPE a.wraps AS (row b.thing, rows b.thing[]);
CREATE TABLE a.deep (w a.wraps, ws a.wraps[]);
CREATE DOMAIN b.over_array AS a.thing[] CHECK (array_length(VALUE, 1) < 5) NOT NULL;
CREATE DOMAIN b.over_domain AS b.over_array DEFAULT '{x}';
CREATE TABLE b.domains (a b.over_domain, b b.over_array DEFAULT ARRAY['x'::a.thing]);
INSERT INTO b.domains DEFAULT VALUES;
-- Functions as defaults, in checks, indexes, exclusion, policies, generated columns.
CREATE FUNCTION a.f(a.thing) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION a.f(int, VARIADIC text[] DEFAULT '{}') RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE a.uses_f (t a.thing DEFAULT 'x', g int GENERATED ALWAYS AS (a.f(5, 'a', 'b')) STORED, CHECK (a.f(t) = 1),
    EXCLUDE USING btree (g WITH =));
CREATE INDEX ON a.uses_f (a.f(t), (g::text) text_pattern_ops) WHERE a.f(g) > 0;
CREATE AGGREGATE a.agg(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE VIEW b.uses_agg AS SELECT a.agg(g) OVER (ORDER BY g) AS v FROM a.uses_f;
CREATE VIEW b.star AS SELECT t.*, u.g FROM b.thing t JOIN a.uses_f u USING (t);
CREATE VIEW b.renamed (c1, c2) AS SELECT 1, 'x'::a.thing;
ALTER VIEW b.renamed RENAME COLUMN c1 TO "C One";
CREATE VIEW b.recursive_one AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r;
CREATE MATERIALIZED VIEW "B".m AS SELECT * FROM b.uses_agg;
CREATE FUNCTION "B".reads_m() RETURNS SETOF "B".m LANGUAGE sql AS 'SELECT * FROM "B".m';
CREATE MATERIALIZED VIEW "B".m2 AS SELECT * FROM "B".reads_m() WITH NO DATA;
CREATE FUNCTION b.trg() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM 'it''s $$'; RETURN new; END $f$;
CREATE TRIGGER on_view INSTEAD OF INSERT ON b.star FOR EACH ROW EXECUTE FUNCTION b.trg();
CREATE TRIGGER truncates BEFORE TRUNCATE ON a.uses_f EXECUTE FUNCTION b.trg();
CREATE TABLE b.log (at timestamptz DEFAULT now(), what text);
CREATE RULE logs AS ON UPDATE TO b.thing DO ALSO (INSERT INTO b.log (what) VALUES ('u'); UPDATE b.log SET at = now() WHERE what = 'x');
ALTER TABLE a.uses_f ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_other ON a.uses_f USING (EXISTS (SELECT FROM b.log WHERE what = t::text) AND a.f(t) > 0);
-- Several parents, columns merged, defaults in conflict, constraints inherited and own.
CREATE TABLE a.p1 (k int NOT NULL DEFAULT 1, x text, CONSTRAINT shared CHECK (k > 0));
CREATE TABLE a.p2 (k int DEFAULT 2, y text, CONSTRAINT shared CHECK (k > 0), CONSTRAINT only_p2 CHECK (y <> '') NO INHERIT);
CREATE TABLE a.c12 (k int DEFAULT 3, z int CHECK (z > 0)) INHERITS (a.p1, a.p2);
CREATE TABLE a.c12_late (k int NOT NULL DEFAULT 1, x text, extra int, CONSTRAINT shared CHECK (k > 0));
ALTER TABLE a.c12_late INHERIT a.p1;
ALTER TABLE a.p1 ADD CONSTRAINT later CHECK (x <> 'no') NOT VALID;
ALTER TABLE a.p1 ADD COLUMN added int DEFAULT 9;
ALTER TABLE a.c12 ALTER COLUMN added DROP DEFAULT;
INSERT INTO a.c12_late (x) VALUES ('a'), ('b');
-- Keys between everything.
CREATE TABLE b.keys (a int, b int, c text COLLATE "C", PRIMARY KEY (b, a), UNIQUE (c) WITH (fillfactor = 50), UNIQUE (a, c) DEFERRABLE);
CREATE TABLE b.refs (a int DEFAULT 1, b int, FOREIGN KEY (b, a) REFERENCES b.keys (b, a) ON DELETE SET DEFAULT DEFERRABLE);
CREATE UNIQUE INDEX by_index ON b.keys (a);
CREATE TABLE "B".refs_index (a int REFERENCES b.keys (a));
ALTER TABLE b.keys REPLICA IDENTITY USING INDEX keys_pkey;
-- Grants of all kinds.
GRANT USAGE ON SCHEMA a TO fidelity_b WITH GRANT OPTION;
GRANT SELECT, INSERT (t) ON a.uses_f TO fidelity_b, PUBLIC;
REVOKE ALL ON b.log FROM postgres;
REVOKE EXECUTE ON FUNCTION a.f(a.thing) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION a.f(a.thing) TO "fidelity_Odd ""Role";
REVOKE USAGE ON TYPE a.thing FROM PUBLIC;
GRANT ALL ON b.uses_agg TO fidelity_a;
ALTER DEFAULT PRIVILEGES IN SCHEMA a GRANT SELECT ON TABLES TO fidelity_b;
ALTER DEFAULT PRIVILEGES FOR ROLE fidelity_a REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER SEQUENCE a.moved OWNER TO postgres;
ALTER SCHEMA "B" OWNER TO fidelity_a;
ALTER FUNCTION a.f(int, text[]) OWNER TO fidelity_a;
ALTER TYPE a.wraps OWNER TO fidelity_a;
SELECT lo_create(4711), lo_create(4712);
ALTER LARGE OBJECT 4711 OWNER TO fidelity_a;
GRANT SELECT ON LARGE OBJECT 4711 TO fidelity_b;
COMMENT ON LARGE OBJECT 4712 IS 'lob';
