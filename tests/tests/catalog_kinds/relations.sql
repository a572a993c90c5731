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
ALTER TABLE app.t OWNER TO kinds_alice;
