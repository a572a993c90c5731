-- since 14
-- Parsed function bodies, multiranges, compression.
CREATE SCHEMA s14;
CREATE TABLE s14.t (id int PRIMARY KEY, name text COMPRESSION pglz, n int);
CREATE TABLE s14.u (id int, n int);
-- Bodies that PostgreSQL has parsed depend on what they name.
CREATE FUNCTION s14.reads_table(x int) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM s14.t WHERE n = x; END;
CREATE FUNCTION s14.needs_key() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT name FROM s14.t GROUP BY id; END;
CREATE VIEW s14.over_needs_key AS SELECT * FROM s14.needs_key() AS f(name);
CREATE MATERIALIZED VIEW s14.mat_over AS SELECT name FROM s14.over_needs_key;
CREATE PROCEDURE s14.p(INOUT a int) LANGUAGE sql BEGIN ATOMIC INSERT INTO s14.u VALUES (a, 1); SELECT a; END;
ALTER TABLE s14.u ALTER COLUMN n SET DEFAULT s14.reads_table(1);
CREATE FUNCTION s14.count_u() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM s14.u; END;
ALTER TABLE s14.u ADD COLUMN others bigint DEFAULT s14.count_u();
CREATE FUNCTION s14.key_check(int) RETURNS boolean LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT EXISTS (SELECT name FROM s14.t WHERE id = $1 GROUP BY id); END;
CREATE TABLE s14.checked (a int CHECK (s14.key_check(a)), b boolean DEFAULT s14.key_check(1));
CREATE FUNCTION s14.trig() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
INSERT INTO s14.t VALUES (1, 'a', 1), (2, 'b', 1);
INSERT INTO s14.u (id) VALUES (1), (2);
INSERT INTO s14.checked (a) VALUES (1);
CREATE TYPE s14.r AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = s14.many_r);
CREATE TABLE s14.ranges (a s14.r, b s14.many_r, c s14.r[]);
INSERT INTO s14.ranges VALUES ('[1,2)', '{[1,2),[3,4)}', ARRAY['[1,2)'::s14.r]);
