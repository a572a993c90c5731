-- since 16
-- Collations with rules of their own.
CREATE COLLATION public.with_rules (PROVIDER = icu, LOCALE = 'und', RULES = '&a < g');
CREATE COLLATION public.odd_rules (PROVIDER = icu, LOCALE = 'de', RULES = E'&a <<< ''x''\n&z < \\u00e4', DETERMINISTIC = false);
CREATE COLLATION public.no_locale (PROVIDER = icu, LOCALE = '', RULES = '& V << w <<< W');
COMMENT ON COLLATION public.with_rules IS 'g after a';
CREATE TABLE public.words (w text COLLATE public.with_rules PRIMARY KEY);
INSERT INTO public.words VALUES ('apple'), ('green'), ('bird');
