-- since 14
-- A conversion by a C function of one's own, which took no flag before PostgreSQL 14.
CREATE SCHEMA "Odd ""conv""";
CREATE FUNCTION "Odd ""conv"""."con (vert"(integer, integer, cstring, internal, integer, boolean) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT AS '$libdir/utf8_and_win', 'utf8_to_win';
CREATE CONVERSION public.own FOR 'UTF8' TO 'WIN1252' FROM "Odd ""conv"""."con (vert";
