-- since 18
-- What 18 brought.
CREATE SCHEMA s18;
CREATE TABLE s18.generated (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL, c int GENERATED ALWAYS AS (a * 3) STORED);
INSERT INTO s18.generated (a) VALUES (1), (2);
CREATE TABLE s18.nn (a int CONSTRAINT a_there NOT NULL, b int NOT NULL NO INHERIT, c int NOT NULL, d int);
INSERT INTO s18.nn VALUES (1, 2, 3, NULL);
ALTER TABLE s18.nn ADD CONSTRAINT d_later NOT NULL d NOT VALID;
COMMENT ON CONSTRAINT a_there ON s18.nn IS 'named';
COMMENT ON CONSTRAINT nn_c_not_null ON s18.nn IS 'usual name, yet with a comment';
COMMENT ON CONSTRAINT d_later ON s18.nn IS 'later';
CREATE TABLE s18.nn_child (e int NOT NULL) INHERITS (s18.nn);
CREATE TABLE s18.nn_child2 (CONSTRAINT own NOT NULL b) INHERITS (s18.nn);
ALTER TABLE s18.nn ADD CONSTRAINT unenforced CHECK (a > 100) NOT ENFORCED;
CREATE TABLE s18.nn_parts (id int NOT NULL, k int) PARTITION BY LIST (k);
CREATE TABLE s18.nn_part PARTITION OF s18.nn_parts FOR VALUES IN (1);
ALTER TABLE s18.nn_part ALTER COLUMN k SET NOT NULL;
CREATE TABLE s18.stays (room int4range, during daterange, CONSTRAINT stays_key PRIMARY KEY (room, during WITHOUT OVERLAPS));
CREATE TABLE s18.visits (room int4range, during daterange,
    FOREIGN KEY (room, PERIOD during) REFERENCES s18.stays (room, PERIOD during));
CREATE TABLE s18.target (id int PRIMARY KEY);
CREATE TABLE s18.fk (a int REFERENCES s18.target NOT ENFORCED, b int);
ALTER TABLE s18.fk ADD FOREIGN KEY (b) REFERENCES s18.target NOT VALID;
CREATE TABLE s18.ident (id int GENERATED ALWAYS AS IDENTITY, k int) PARTITION BY LIST (k);
CREATE TABLE s18.ident_1 PARTITION OF s18.ident FOR VALUES IN (1);
CREATE DOMAIN s18.d AS int CONSTRAINT there NOT NULL;
CREATE TABLE s18.uses_d (a s18.d);
INSERT INTO s18.ident (k) VALUES (1), (1);
