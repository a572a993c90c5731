-- since 14
-- What 14 brought to types and routines.
CREATE SCHEMA app;
CREATE FUNCTION app.plus(integer, integer) RETURNS integer LANGUAGE internal STRICT COST 3 AS 'int4pl';
CREATE FUNCTION app.atomic(a integer) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC
        SELECT app.plus(a, 1);
    END;
CREATE FUNCTION app.returns(a integer) RETURNS integer LANGUAGE sql RETURN a + 1;
CREATE TYPE app.spans AS RANGE (SUBTYPE = date, MULTIRANGE_TYPE_NAME = app."Many spans");
CREATE FUNCTION app.in_spans(app."Many spans") RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION app.shared(OUT a integer) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE app.out_only(OUT a integer) LANGUAGE plpgsql AS 'BEGIN a := 1; END';
COMMENT ON PROCEDURE app.out_only() IS 'one out';
