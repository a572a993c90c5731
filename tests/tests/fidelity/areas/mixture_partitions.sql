-- Partitions of all sorts with keys, indexes and rows.
DO $$ BEGIN CREATE ROLE fidelity_a; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE fidelity_b; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA parts;
CREATE TABLE parts.events (id bigint NOT NULL, at date NOT NULL, kind text DEFAULT 'x', CHECK (id > 0)) PARTITION BY RANGE (at);
CREATE TABLE parts.events_2024 PARTITION OF parts.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parts.events_2025 PARTITION OF parts.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE parts.events_2025_a PARTITION OF parts.events_2025 (kind DEFAULT 'a') FOR VALUES IN ('a', 'b', NULL);
CREATE TABLE parts.events_2025_other PARTITION OF parts.events_2025 DEFAULT;
CREATE TABLE parts.other_order (kind text, extra_dropped int, at date NOT NULL, id bigint NOT NULL, CONSTRAINT events_id_check CHECK (id > 0));
ALTER TABLE parts.other_order DROP COLUMN extra_dropped;
ALTER TABLE parts.events ATTACH PARTITION parts.other_order FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
ALTER TABLE parts.events ADD PRIMARY KEY (id, at, kind);
CREATE INDEX events_kind ON parts.events (kind);
CREATE INDEX only_on_one ON parts.events_2024 (at);
CREATE UNIQUE INDEX events_unique ON parts.events (at, id, kind);
CREATE INDEX not_complete ON ONLY parts.events (id);
CREATE INDEX complete_2024 ON parts.events_2024 (id);
ALTER INDEX parts.not_complete ATTACH PARTITION parts.complete_2024;
COMMENT ON INDEX parts.events_kind IS 'by kind';
INSERT INTO parts.events SELECT i, date '2024-01-01' + i * 10, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'z' END FROM generate_series(1, 90) i;

CREATE TABLE parts.reading (id int, event bigint, at date, kind text,
    FOREIGN KEY (event, at, kind) REFERENCES parts.events (id, at, kind)) PARTITION BY HASH (id);
CREATE TABLE parts.reading_0 PARTITION OF parts.reading FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts.reading_1 PARTITION OF parts.reading FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts.reading SELECT i, id, at, kind FROM parts.events, generate_series(1, 3) i;

CREATE TYPE parts.color AS ENUM ('red', 'green', 'blue');
CREATE TABLE parts.by_enum (c parts.color, n int) PARTITION BY HASH (c);
CREATE TABLE parts.by_enum_0 PARTITION OF parts.by_enum FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts.by_enum_1 PARTITION OF parts.by_enum FOR VALUES WITH (MODULUS 2, REMAINDER 1);

CREATE FUNCTION parts.noop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER everywhere BEFORE INSERT ON parts.reading FOR EACH ROW EXECUTE FUNCTION parts.noop();
CREATE TRIGGER late AFTER INSERT ON parts.reading FOR EACH ROW EXECUTE FUNCTION parts.noop();
ALTER TABLE parts.reading_1 DISABLE TRIGGER late;
ALTER TABLE parts.events_2024 ALTER COLUMN id SET STATISTICS 7;
CREATE TABLE parts.expr (a int, b text) PARTITION BY LIST (lower(b) COLLATE "C");
CREATE TABLE parts.expr_x PARTITION OF parts.expr FOR VALUES IN ('x');
INSERT INTO parts.expr VALUES (1, 'X');
GRANT SELECT ON parts.events TO fidelity_b;
ALTER TABLE parts.events_2024 OWNER TO fidelity_a;
