-- since 14
-- Multirange types.
CREATE SCHEMA "Odd ""multi""";
CREATE TYPE public.a_range AS RANGE (SUBTYPE = float8, MULTIRANGE_TYPE_NAME = "Odd ""multi"""."Mul ti");
CREATE TYPE public.zz_range AS RANGE (SUBTYPE = numeric);
CREATE TYPE public.numbers AS RANGE (SUBTYPE = int8, MULTIRANGE_TYPE_NAME = public."select");
CREATE TYPE "Odd ""multi"""."my range of range" AS RANGE (SUBTYPE = text);
CREATE TABLE public.t (m "Odd ""multi"""."Mul ti", z public.zz_multirange DEFAULT public.zz_multirange(public.zz_range(1, 2)), zs public.zz_multirange[], s public."select",
    o "Odd ""multi"""."my multirange of range");
CREATE FUNCTION public.a_first("Odd ""multi"""."Mul ti"[]) RETURNS public.zz_multirange LANGUAGE sql AS 'SELECT NULL::public.zz_multirange';
CREATE DOMAIN public.dom AS public.zz_multirange CHECK (NOT isempty(VALUE));
CREATE TYPE public.comp AS (m "Odd ""multi"""."Mul ti", d public.dom);
INSERT INTO public.t VALUES ('{[1,2),[3,4)}', DEFAULT, ARRAY['{}'::public.zz_multirange], '{[1,5]}', '{["a,b",c)}');
