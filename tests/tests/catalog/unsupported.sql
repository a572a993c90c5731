CREATE TABLE public.t (a int, b int);
CREATE FUNCTION public.to_text(public.t) RETURNS text LANGUAGE sql AS 'SELECT 1::text';
CREATE CAST (public.t AS text) WITH FUNCTION public.to_text(public.t);
CREATE FUNCTION public.plus(public.t, public.t) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE OPERATOR public.+ (LEFTARG = public.t, RIGHTARG = public.t, FUNCTION = public.plus);
CREATE COLLATION public.coll FROM "C";
CREATE TEXT SEARCH CONFIGURATION public.ts (COPY = simple);
CREATE TYPE public.shell;
