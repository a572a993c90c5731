-- Collations of libc and ICU, with what uses them.
DO $$ BEGIN CREATE ROLE fidelity_coll; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""coll""";
CREATE COLLATION public.plain_c (LOCALE = 'C');
CREATE COLLATION public.posix FROM "POSIX";
CREATE COLLATION public.mixed (LC_COLLATE = 'C', LC_CTYPE = 'POSIX');
CREATE COLLATION public.utf8_c (PROVIDER = libc, LOCALE = 'C.utf8');
CREATE COLLATION public.german (PROVIDER = icu, LOCALE = 'de-DE');
CREATE COLLATION "Odd ""coll"""."Phone ""book""" (PROVIDER = icu, LOCALE = 'de-u-co-phonebk');
CREATE COLLATION public.case_insensitive (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION public.ignore_accents (PROVIDER = icu, DETERMINISTIC = FALSE, LOCALE = 'und-u-ks-level1-kc-true');
CREATE COLLATION public.of_english FROM "en-x-icu";
CREATE COLLATION "Odd ""coll"""."Größe" (PROVIDER = icu, LOCALE = 'sv');
CREATE COLLATION public."select" FROM "C";
CREATE COLLATION public.upper_first (PROVIDER = icu, LOCALE = 'und-u-kf-upper-kn');
COMMENT ON COLLATION public.german IS E'it''s \\ German\n';
COMMENT ON COLLATION "Odd ""coll"""."Größe" IS 'Swedish';
ALTER COLLATION public.german OWNER TO fidelity_coll;
ALTER COLLATION public.case_insensitive REFRESH VERSION;

-- Columns, domains, composite and range types, indexes, views, partition keys, functions, defaults, constraints.
CREATE DOMAIN public.ci_text AS text COLLATE public.case_insensitive CHECK (VALUE <> 'x' COLLATE public.german);
CREATE TYPE public.named AS (name text COLLATE "Odd ""coll"""."Phone ""book""", other text COLLATE "C", plain varchar(10));
CREATE TYPE public.text_range AS RANGE (SUBTYPE = text, COLLATION = public.german);
CREATE TABLE public.words (
    id int PRIMARY KEY, w text COLLATE public.german, c public.ci_text, n public.named, r public.text_range,
    d text COLLATE "Odd ""coll"""."Größe" DEFAULT ('a' COLLATE "C"), UNIQUE (c), CHECK (w < 'zz' COLLATE public.german));
CREATE INDEX words_w ON public.words (w COLLATE public.case_insensitive, lower(d) COLLATE "Odd ""coll"""."Phone ""book""");
CREATE VIEW public.sorted AS SELECT w COLLATE public.upper_first AS w FROM public.words ORDER BY w COLLATE "Odd ""coll"""."Größe";
CREATE FUNCTION public.smaller(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 < $2 COLLATE public.german $$;
CREATE TABLE public.parted (w text) PARTITION BY RANGE (w COLLATE public.german);
CREATE TABLE public.parted_a PARTITION OF public.parted FOR VALUES FROM ('a') TO ('b');
INSERT INTO public.words VALUES (1, 'ä', 'Ab', ROW('x', 'y', 'z'), '[a,b)'), (2, 'z', 'cd', NULL, 'empty');
INSERT INTO public.parted VALUES ('ab');
