-- since 15
-- A database without the schema public; pg_dump does not drop it in the copy.
DROP SCHEMA public;
CREATE SCHEMA app;
CREATE TABLE app.t (id integer);
