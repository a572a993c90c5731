-- since 17
-- The built-in provider.
CREATE COLLATION public.builtin_c (PROVIDER = builtin, LOCALE = 'C');
CREATE COLLATION public.builtin_utf8 (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE COLLATION public."Ucs ""basic""" FROM ucs_basic;
CREATE COLLATION public.of_builtin FROM pg_c_utf8;
COMMENT ON COLLATION public.builtin_utf8 IS 'built in';
CREATE TABLE public.words (w text COLLATE public.builtin_utf8 PRIMARY KEY);
INSERT INTO public.words VALUES ('apple'), ('Ä');
