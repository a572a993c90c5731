-- Views, rules, triggers, policies, and what goes in circles among them.
DO $$ BEGIN CREATE ROLE fidelity_a; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE fidelity_b; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA v;
CREATE TABLE v.t (id int PRIMARY KEY, name text COLLATE "C", n int);
INSERT INTO v.t SELECT i, 'n' || i, i % 3 FROM generate_series(1, 10) i;
CREATE VIEW v.plain AS SELECT id, name FROM v.t WHERE n > 0;
CREATE VIEW v.checked WITH (security_barrier = true) AS SELECT id, n FROM v.t WHERE n > 1 WITH LOCAL CHECK OPTION;
CREATE VIEW v.cascaded AS SELECT id, n FROM v.t WHERE n > 1 WITH CASCADED CHECK OPTION;
ALTER VIEW v.plain ALTER COLUMN name SET DEFAULT 'viewed';
CREATE VIEW v.grouped AS SELECT id, name, count(*) AS c FROM v.t GROUP BY id;
CREATE VIEW v.on_grouped AS SELECT c FROM v.grouped;
CREATE VIEW "v"."Odd ""View""" AS SELECT 1 AS "Col A", 'x'::text COLLATE "C" AS "select";
COMMENT ON VIEW v.plain IS 'a view';
COMMENT ON COLUMN v.plain.name IS 'its name';
GRANT SELECT (id) ON v.plain TO fidelity_b;
ALTER VIEW v.checked OWNER TO fidelity_a;

CREATE MATERIALIZED VIEW v.mat WITH (fillfactor = 50) AS SELECT n, count(*) AS c FROM v.t GROUP BY n;
CREATE MATERIALIZED VIEW v.empty AS SELECT 1 AS one WITH NO DATA;
CREATE MATERIALIZED VIEW v.on_mat AS SELECT sum(c) AS s FROM v.mat;
CREATE VIEW v.over_mat AS SELECT * FROM v.on_mat;
CREATE MATERIALIZED VIEW v.a_third AS SELECT s FROM v.over_mat;
CREATE MATERIALIZED VIEW v.by_key AS SELECT id, name FROM v.t GROUP BY id;
CREATE UNIQUE INDEX mat_n ON v.mat (n);
CREATE INDEX by_key_name ON v.by_key (name);
COMMENT ON MATERIALIZED VIEW v.mat IS 'counted';
ALTER MATERIALIZED VIEW v.mat ALTER COLUMN c SET STATISTICS 11;
ALTER MATERIALIZED VIEW v.mat CLUSTER ON mat_n;

-- A view that needs a function that needs the view.
CREATE VIEW v.loop AS SELECT 1 AS a, 'x'::text AS b;
CREATE FUNCTION v.of_loop(v.loop) RETURNS int LANGUAGE sql AS 'SELECT $1.a';
CREATE OR REPLACE VIEW v.loop WITH (security_barrier = true) AS SELECT n AS a, name COLLATE "default" AS b FROM v.t WHERE v.of_loop(ROW(n, name)) > 0;
COMMENT ON VIEW v.loop IS 'loops';
GRANT SELECT ON v.loop TO fidelity_b;
-- Two views that need each other through functions.
CREATE VIEW v.ping AS SELECT 1 AS a;
CREATE VIEW v.pong AS SELECT 1 AS a;
CREATE FUNCTION v.from_ping() RETURNS SETOF v.ping LANGUAGE sql AS 'SELECT * FROM v.ping';
CREATE FUNCTION v.from_pong() RETURNS SETOF v.pong LANGUAGE sql AS 'SELECT * FROM v.pong';
CREATE OR REPLACE VIEW v.ping AS SELECT n AS a FROM v.t WHERE EXISTS (SELECT FROM v.from_pong());
CREATE OR REPLACE VIEW v.pong AS SELECT n AS a FROM v.t WHERE n IN (SELECT a FROM v.from_ping());

-- Defaults and checks that need their table.
CREATE TABLE v.self (id int, twin int);
CREATE FUNCTION v.of_self(v.self) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.id > 0';
ALTER TABLE v.self ADD CONSTRAINT by_function CHECK (v.of_self(self.*));
CREATE FUNCTION v.next_twin() RETURNS int LANGUAGE plpgsql AS $$ DECLARE x v.self; BEGIN RETURN 1; END $$;
CREATE FUNCTION v.rows_of_self() RETURNS SETOF v.self LANGUAGE sql AS 'SELECT * FROM v.self';
CREATE FUNCTION v.count_self() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM v.rows_of_self()';
ALTER TABLE v.self ALTER COLUMN twin SET DEFAULT v.next_twin();
INSERT INTO v.self VALUES (1, 1), (2, 2);
CREATE DOMAIN v.positive AS int;
CREATE FUNCTION v.is_positive(v.positive) RETURNS boolean LANGUAGE sql AS 'SELECT $1 > 0';
ALTER DOMAIN v.positive ADD CONSTRAINT p CHECK (v.is_positive(VALUE));
COMMENT ON CONSTRAINT p ON DOMAIN v.positive IS 'loops';
CREATE TABLE v.uses_domain (a v.positive);

CREATE RULE r1 AS ON INSERT TO v.plain DO INSTEAD INSERT INTO v.t (id, name) VALUES (new.id, new.name);
CREATE RULE r2 AS ON DELETE TO v.t WHERE old.id = 0 DO INSTEAD NOTHING;
CREATE RULE r3 AS ON INSERT TO v.t DO ALSO NOTIFY gone;
ALTER TABLE v.t DISABLE RULE r3;
ALTER TABLE v.t DISABLE RULE r2;
COMMENT ON RULE r2 ON v.t IS 'a rule';

CREATE FUNCTION v.trig() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER t1 BEFORE UPDATE OF name, n ON v.t FOR EACH ROW WHEN (old.name IS DISTINCT FROM new.name AND (old.n + 1) > 2) EXECUTE FUNCTION v.trig('a', 'it''s');
CREATE CONSTRAINT TRIGGER t2 AFTER INSERT ON v.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION v.trig();
CREATE TRIGGER t3 AFTER INSERT ON v.t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION v.trig();
CREATE TRIGGER t4 INSTEAD OF UPDATE ON v.cascaded FOR EACH ROW EXECUTE FUNCTION v.trig();
ALTER TABLE v.t DISABLE TRIGGER t1;
ALTER TABLE v.t ENABLE ALWAYS TRIGGER t2;
ALTER TABLE v.t ENABLE REPLICA TRIGGER t3;
COMMENT ON TRIGGER t1 ON v.t IS 'fires';

CREATE TABLE v.secret (id int, who text);
ALTER TABLE v.secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE v.secret FORCE ROW LEVEL SECURITY;
CREATE POLICY everyone ON v.secret USING (true) WITH CHECK (id > 0);
CREATE POLICY "Only Some" ON v.secret AS RESTRICTIVE FOR SELECT TO fidelity_b, fidelity_a USING (who = current_user);
CREATE POLICY adds ON v.secret FOR INSERT TO fidelity_b WITH CHECK (id IN (SELECT id FROM v.t));
CREATE POLICY dormant ON v.t FOR DELETE USING (false);
COMMENT ON POLICY everyone ON v.secret IS 'all';
