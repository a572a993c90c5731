-- since 14
-- Base types with subscripts.
CREATE TYPE public.numbers;
CREATE FUNCTION public.numbers_in(cstring, oid, integer) RETURNS public.numbers LANGUAGE internal STABLE STRICT AS 'array_in';
CREATE FUNCTION public.numbers_out(public.numbers) RETURNS cstring LANGUAGE internal STABLE STRICT AS 'array_out';
CREATE FUNCTION public."Sub script"(internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'array_subscript_handler';
CREATE TYPE public.numbers (INPUT = public.numbers_in, OUTPUT = public.numbers_out, ELEMENT = int4, SUBSCRIPT = public."Sub script",
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended);
CREATE TYPE public.boxed;
CREATE FUNCTION public.boxed_in(cstring) RETURNS public.boxed LANGUAGE internal IMMUTABLE STRICT AS 'point_in';
CREATE FUNCTION public.boxed_out(public.boxed) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'point_out';
CREATE TYPE public.boxed (INPUT = public.boxed_in, OUTPUT = public.boxed_out, LIKE = point, SUBSCRIPT = raw_array_subscript_handler, ELEMENT = float8);
CREATE VIEW public.second AS SELECT ('{1,2}'::public.numbers)[2] AS n, ('(1,2)'::public.boxed)[0] AS x;
