-- since 18
-- What PostgreSQL 18 added to the built-in provider.
CREATE COLLATION public.fast (PROVIDER = builtin, LOCALE = 'PG_UNICODE_FAST');
CREATE COLLATION public.of_fast FROM pg_unicode_fast;
CREATE TABLE public.words (w text COLLATE public.fast PRIMARY KEY);
INSERT INTO public.words VALUES ('straße');
