-- Values at the edges of every built-in type, rows that COPY must quote, and tables of odd shapes.
CREATE SCHEMA types;
CREATE TABLE types.whole (a smallint, b integer, c bigint, d oid, e xid, f xid8, g cid, h tid, i pg_lsn, j boolean, k money);
INSERT INTO types.whole VALUES
    (-32768, -2147483648, -9223372036854775808, 0, '0', '0', '0', '(0,0)', '0/0', false, '-92233720368547758.08'),
    (32767, 2147483647, 9223372036854775807, 4294967295, '4294967295', '18446744073709551615', '4294967295', '(4294967295,65535)', 'FFFFFFFF/FFFFFFFF', true, '92233720368547758.07'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE types.broken (a real, b double precision, c numeric, d numeric(1000, 500), e numeric(3, -2), f numeric(5, 7));
INSERT INTO types.broken VALUES
    ('NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN'), ('Infinity', '-Infinity', 'Infinity', NULL, NULL, NULL),
    ('-0', '-0', '-0.000', 0, 12345, 0.0012345), (1e-45, 5e-324, 1e-16383, 1e-500, -99900, -0.0099999),
    (3.4028235e38, 1.7976931348623157e308, 1e131071, 1e499, NULL, NULL), (0.1, 0.1, 0.1, 0.1, 1, 0.001),
    (16777217, 9007199254740993, repeat('9', 1000)::numeric, 123.456, 1, 0.001);
CREATE TABLE types.text (id serial PRIMARY KEY, a text, b varchar(40), c char(8), d "char", e name, f text COLLATE "C");
INSERT INTO types.text (a, b, c, d, e, f) VALUES
    ('', '', '', '', '', ''), (NULL, NULL, NULL, NULL, NULL, NULL), (E'\\.', E'\\.', E'\\.', E'\\', E'\\.', E'\\N'),
    (E'\\N', E'\\n', 'a  ', '.', 'null', 'NULL'), (E'a\tb\nc\rd\be\ff\vg\\h', E'\r\n', E'\t', E'\t', E'\n', E'\\\\'),
    (E'\x01\x02\x1f\x7f', 'é', 'ü', 'x', 'ñ', E'\u2028\u2029'), (E'\U0001F600 e\u0301 \u202E\uFEFF\uFFFD', '𝒳', '漢字', 'y', '名', '日本'),
    ('$$ ''it''s'' "quoted" $x$', '-- no comment', '/* */', ';', '\connect x', E'\\! echo'), (repeat('x', 1048576), NULL, NULL, NULL, repeat('n', 63), repeat(E'\\\t', 5000)),
    (E'line\n\\.\nline', E'\n', ' ', ' ', ' ', E'\\.\n'), ((SELECT string_agg(chr(i), '') FROM generate_series(1, 2000) i), 'all', 'a', 'a', 'a', 'a');
CREATE TABLE types.bytes (a bytea, b bit(3), c bit varying, d uuid);
INSERT INTO types.bytes VALUES ('', B'000', B'', '00000000-0000-0000-0000-000000000000'), (NULL, NULL, NULL, NULL),
    ('\x00ff5c2e0a0d09', B'101', repeat('01', 4000)::varbit, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    ((SELECT string_agg(decode(md5(i::text), 'hex'), '') FROM generate_series(1, 20000) i), B'111', B'1', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
ALTER TABLE types.bytes ALTER COLUMN a SET STORAGE EXTERNAL;
CREATE TABLE types.times (a date, b time, c time(0), d timetz, e timestamp, f timestamptz, g interval, h interval day to second(3));
INSERT INTO types.times VALUES
    ('infinity', '24:00:00', '23:59:59', '24:00:00-15:59', 'infinity', '-infinity', '178000000 years', '1 day'),
    ('-infinity', '00:00:00', '00:00', '00:00:00+15:59', '-infinity', 'infinity', '-178000000 years -3 mons -7 days -00:00:00.000001', '-1 day 00:00:00.001'),
    ('4714-11-24 BC', '00:00:00.000001', '12:00', '12:00:00.5+05:30', '4714-11-24 00:00:00 BC', '4714-11-24 00:00:00+00 BC', '1 mon -1 day +00:00:01', '0'),
    ('5874897-12-31', '23:59:59.999999', '12:00', '12:00:00+00', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '0', NULL),
    ('0001-02-29 BC', '01:02:03.4', '12:00', '01:02:03.4-07', '1883-11-18 12:03:58', '1883-11-18 12:03:58 America/New_York', '1 year', NULL),
    ('2024-02-29', '02:30', '12:00', '02:30+01', '2024-03-31 02:30', '2024-10-27 02:30:00.123456 Europe/Berlin', '-1 year +1 mon', NULL);
CREATE TABLE types.nets (a inet, b cidr, c macaddr, d macaddr8);
INSERT INTO types.nets VALUES ('0.0.0.0/0', '0.0.0.0/0', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff'), ('::', '::/0', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00:00:00'),
    ('192.168.1.5/24', '192.168.1.0/24', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05'), ('fe80::1/64', '::ffff:1.2.3.0/120', NULL, NULL);
CREATE TABLE types.shapes (a point, b line, c lseg, d box, e path, f polygon, g circle);
INSERT INTO types.shapes VALUES ('(NaN,Infinity)', '{1,-1,0.1}', '[(0,0),(1e300,-1e-300)]', '(1,1),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),1e-7>'),
    ('(-0,0.1)', NULL, NULL, NULL, '((0,0),(1,1))', '((0,0))', '<(Infinity,0),Infinity>');
CREATE TABLE types.docs (a json, b jsonb, c jsonpath, d tsvector, e tsquery);
INSERT INTO types.docs VALUES (E'{"a" :1,  "a":2,\n "b\\u00e9\\\\": [1.0e+2, null, "\\t"]}', E'{"k\\t\\\\": [1E400, "\\u00e9", {}, [], "\\\\."], "": null}', '$."a b"[*] ? (@ > 1.5 && exists(@.x))', E'''it''''s'':1A,2B ''\\\\'':3 ''a b'':16383', E'''a b'':*A & !( ''c\\\\'' <2> ''d'' )'),
    ('null', 'null', '$', '', ''), ('""', '"\\N"', 'strict $.x', NULL, NULL), (' [ ] ', '[]', NULL, NULL, NULL);
CREATE TABLE types.spans (a int4range, b int8range, c numrange, d tsrange, e tstzrange, f daterange, g nummultirange, h int4multirange, i tstzmultirange);
INSERT INTO types.spans VALUES ('empty', '(,)', '[0.1,0.1]', '[-infinity,infinity]', '(,2024-01-01 00:00:00+00]', '[-infinity,infinity)', '{}', '{[1,2),[5,)}', '{(,infinity),[infinity,]}'),
    ('(,5)', '[9223372036854775806,9223372036854775807)', '(NaN,]', 'empty', '["2024-01-01 00:00:00.1+00",)', '(,)', '{(,)}', '{}', NULL);
CREATE TABLE types.lists (a int[], b text[], c text[][], d int[], e bytea[], f numeric[], g int2vector, h oidvector, i timestamptz[], j box[], k jsonb[]);
INSERT INTO types.lists VALUES ('{}', '{"", "NULL", NULL, "a,b", "{}", "\"", "\\", "\\."," "}', '{{"a\tb","c\nd"},{NULL,""}}', '[-2:0]={1,NULL,3}', '{"\\x00","\\x5c2e",NULL}', '{NaN,Infinity,-0.0}', '1 2 3', '', '{infinity,NULL}', '{(1,1),(0,0);(2,2),(1,1)}', '{"{\"a\": \"\\\\,\"}",NULL}'),
    (array_fill(7, ARRAY[2, 2, 2], ARRAY[0, -1, 5]), ARRAY[E'\\.', E'\n', E'\t'], NULL, '[5:5]={NULL}', NULL, NULL, '', '1 2', NULL, NULL, NULL);
CREATE TYPE types.inner AS (x int, "y Y" text, z timestamptz);
CREATE TYPE types.outer AS (i types.inner, many types.inner[], e text[]);
CREATE TYPE types.odd AS ENUM ('', ' ', 'it''s', 'a,b', '"', '\', '(', 'NULL');
CREATE DOMAIN types.short AS text CHECK (length(VALUE) < 20);
CREATE TABLE types.composed (a types.inner, b types.outer, c types.odd, d types.odd[], e types.short, f types.inner[], g types.short[]);
INSERT INTO types.composed VALUES
    (ROW(NULL, NULL, NULL), ROW(NULL, NULL, NULL), '', ARRAY['', ' ', 'it''s', 'a,b', '"', '\', '(', 'NULL']::types.odd[], '', '{}', '{}'),
    (ROW(1, E'(),"\\\n\t''', 'infinity'), ROW(ROW(1, '', NULL), ARRAY[ROW(2, E'"\\.', NULL)::types.inner, NULL], ARRAY['', NULL, '()']), '\', NULL, E'\\.', ARRAY[ROW(1, 'a,b', NULL)::types.inner], ARRAY['x', NULL, '']::types.short[]),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE types.names (a regclass, b regproc, c regprocedure, d regoper, e regoperator, f regtype, g regnamespace, h regconfig, i regdictionary, j regcollation, k pg_snapshot, l txid_snapshot, m refcursor, n regrole);
INSERT INTO types.names VALUES ('types.whole', 'pg_catalog.now', 'pg_catalog.abs(integer)', NULL, 'pg_catalog.+(integer,integer)', 'types.odd[]', 'types', 'pg_catalog.simple', 'pg_catalog.simple', 'pg_catalog."C"', '10:20:10,14,15', '10:20:10,14,15', 'a cursor', 'pg_monitor'),
    ('pg_catalog.pg_class', '-', '-', '0', '0', '-', '-', '-', '-', '-', NULL, NULL, '', '-');
-- Shapes.
CREATE TABLE types.no_columns ();
INSERT INTO types.no_columns SELECT FROM generate_series(1, 7);
CREATE TABLE types.all_dropped (a int, b text);
INSERT INTO types.all_dropped VALUES (1, 'x'), (2, 'y'), (3, 'z');
ALTER TABLE types.all_dropped DROP COLUMN a, DROP COLUMN b;
CREATE TABLE types.only_generated (g int GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO types.only_generated DEFAULT VALUES;
INSERT INTO types.only_generated DEFAULT VALUES;
CREATE TABLE types.one_text (t text);
INSERT INTO types.one_text VALUES (''), (NULL), (E'\\.'), (E'\\'), (E'\n'), (E'\\N'), ('x');
DO $$ BEGIN
    EXECUTE 'CREATE TABLE types.wide (' || (SELECT string_agg(format('c%s text', i), ', ') FROM generate_series(1, 1600) i) || ')';
    EXECUTE 'INSERT INTO types.wide (c1, c1600) VALUES (''a'', ''b''), (NULL, NULL)';
END $$;
CREATE TABLE types.mixed_order (keep int, gone text, late text DEFAULT 'd' NOT NULL, gen text GENERATED ALWAYS AS (keep::text || late) STORED);
INSERT INTO types.mixed_order (keep, gone) SELECT i, 'x' FROM generate_series(1, 1000) i;
ALTER TABLE types.mixed_order DROP COLUMN gone;
ALTER TABLE types.mixed_order ADD COLUMN "Added ""later" int DEFAULT 42;
INSERT INTO types.mixed_order (keep) SELECT i FROM generate_series(1, 1000) i;
UPDATE types.mixed_order SET late = 'upd' WHERE keep % 7 = 0;
DELETE FROM types.mixed_order WHERE keep % 5 = 0;
-- A foreign key in a circle, within one table and between two, with rows on all sides.
CREATE TABLE types.tree (id int PRIMARY KEY, parent int NOT NULL REFERENCES types.tree);
INSERT INTO types.tree SELECT i, 1001 - i FROM generate_series(1, 1000) i;
CREATE TABLE types.hen (id int PRIMARY KEY, egg int NOT NULL);
CREATE TABLE types.egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES types.hen);
INSERT INTO types.hen SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO types.egg SELECT i, 101 - i FROM generate_series(1, 100) i;
ALTER TABLE types.hen ADD FOREIGN KEY (egg) REFERENCES types.egg;
-- Materialized views on each other, against the order of their names; one on an unpopulated one.
CREATE MATERIALIZED VIEW types.z_first AS SELECT keep, late FROM types.mixed_order;
CREATE MATERIALIZED VIEW types.m_second AS SELECT late, count(*) AS n FROM types.z_first GROUP BY late;
CREATE MATERIALIZED VIEW types.a_third AS SELECT sum(n) AS s FROM types.m_second;
CREATE UNIQUE INDEX ON types.m_second (late);
CREATE MATERIALIZED VIEW types.never AS SELECT 1 / 0 AS x WITH NO DATA;
CREATE MATERIALIZED VIEW types.over_never AS SELECT x FROM types.never WITH NO DATA;
-- Rows that the owner's own policies hide, and triggers that would change rows if they fired on loading.
CREATE TABLE types.hidden (id int, v text);
INSERT INTO types.hidden SELECT i, 'v' || i FROM generate_series(1, 50) i;
ALTER TABLE types.hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY nothing ON types.hidden USING (false) WITH CHECK (false);
CREATE TABLE types.guarded (id int, touched boolean DEFAULT false);
INSERT INTO types.guarded SELECT i FROM generate_series(1, 50) i;
CREATE FUNCTION types.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.touched := true; RETURN new; END $$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON types.guarded FOR EACH ROW EXECUTE FUNCTION types.touch();
ALTER TABLE types.guarded ENABLE ALWAYS TRIGGER touch;
CREATE RULE swallow AS ON INSERT TO types.guarded DO INSTEAD NOTHING;
SELECT lo_from_bytea(880001, ''), lo_from_bytea(880002, '\x00'), lo_from_bytea(880003, (SELECT string_agg(decode(md5(i::text), 'hex'), '') FROM generate_series(1, 50000) i)), lo_create(880004);
SELECT lo_put(880004, 5000000, '\x01');
