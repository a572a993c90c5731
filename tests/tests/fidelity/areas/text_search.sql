-- Text search parsers, templates, dictionaries and configurations.
DO $$ BEGIN CREATE ROLE fidelity_ts; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""ts""";

-- Parsers: with and without a headline function, with functions of one's own.
CREATE TEXT SEARCH PARSER public.my_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, HEADLINE = prsd_headline, LEXTYPES = prsd_lextype);
CREATE FUNCTION "Odd ""ts"""."lex (types"(internal) RETURNS internal LANGUAGE internal STRICT AS 'prsd_lextype';
CREATE FUNCTION public.my_start(internal, int) RETURNS internal LANGUAGE internal STRICT AS 'prsd_start';
CREATE TEXT SEARCH PARSER "Odd ""ts"""."Pars er" (START = public.my_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = "Odd ""ts"""."lex (types");
COMMENT ON TEXT SEARCH PARSER public.my_parser IS E'it''s \\ a parser\n';
COMMENT ON TEXT SEARCH PARSER "Odd ""ts"""."Pars er" IS 'odd';

-- Templates: with and without an init function.
CREATE TEXT SEARCH TEMPLATE public.my_template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE FUNCTION "Odd ""ts"""."lex (ize"(internal, internal, internal, internal) RETURNS internal LANGUAGE internal STRICT AS 'dsimple_lexize';
CREATE TEXT SEARCH TEMPLATE "Odd ""ts"""."Temp late" (INIT = dsimple_init, LEXIZE = "Odd ""ts"""."lex (ize");
CREATE TEXT SEARCH TEMPLATE public.no_init (LEXIZE = dsimple_lexize);
COMMENT ON TEXT SEARCH TEMPLATE public.my_template IS 'a template';
COMMENT ON TEXT SEARCH TEMPLATE "Odd ""ts"""."Temp late" IS 'odd';

-- Dictionaries: options that need quotes, numbers, words, none.
CREATE TEXT SEARCH DICTIONARY public.simple_de (TEMPLATE = pg_catalog.simple, STOPWORDS = german, ACCEPT = false);
CREATE TEXT SEARCH DICTIONARY public.snow (TEMPLATE = snowball, LANGUAGE = 'english', STOPWORDS = 'english');
CREATE TEXT SEARCH DICTIONARY "Odd ""ts"""."Dic t" (TEMPLATE = "Odd ""ts"""."Temp late", "accept" = 'true');
CREATE TEXT SEARCH DICTIONARY public.syn (TEMPLATE = synonym, SYNONYMS = synonym_sample, CASESENSITIVE = 1);
CREATE TEXT SEARCH DICTIONARY public.thes (TEMPLATE = thesaurus, DICTFILE = thesaurus_sample, DICTIONARY = public.snow);
CREATE TEXT SEARCH DICTIONARY public.isp (TEMPLATE = ispell, DICTFILE = ispell_sample, AFFFILE = ispell_sample, STOPWORDS = english);
CREATE TEXT SEARCH DICTIONARY public.bare (TEMPLATE = public.my_template);
COMMENT ON TEXT SEARCH DICTIONARY public.snow IS E'it''s \\ a dictionary\n';
COMMENT ON TEXT SEARCH DICTIONARY "Odd ""ts"""."Dic t" IS 'odd';
ALTER TEXT SEARCH DICTIONARY public.snow OWNER TO fidelity_ts;

-- Configurations: copied, with several dictionaries, with a parser of one's own, without any mapping.
CREATE TEXT SEARCH CONFIGURATION public.english2 (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION public.english2 ALTER MAPPING FOR asciiword, asciihword, hword_asciipart
    WITH public.thes, "Odd ""ts"""."Dic t", public.syn, public.isp, public.snow;
ALTER TEXT SEARCH CONFIGURATION public.english2 DROP MAPPING FOR email, url, url_path, sfloat;
CREATE TEXT SEARCH CONFIGURATION public.empty (PARSER = default);
CREATE TEXT SEARCH CONFIGURATION "Odd ""ts"""."Con fig" (PARSER = public.my_parser);
ALTER TEXT SEARCH CONFIGURATION "Odd ""ts"""."Con fig" ADD MAPPING FOR word, asciiword, "int", uint, "version" WITH simple, public.simple_de;
CREATE TEXT SEARCH CONFIGURATION public.odd_parser (PARSER = "Odd ""ts"""."Pars er");
ALTER TEXT SEARCH CONFIGURATION public.odd_parser ADD MAPPING FOR word WITH public.bare;
COMMENT ON TEXT SEARCH CONFIGURATION public.english2 IS E'it''s \\ a configuration\n';
COMMENT ON TEXT SEARCH CONFIGURATION "Odd ""ts"""."Con fig" IS 'odd';
ALTER TEXT SEARCH CONFIGURATION "Odd ""ts"""."Con fig" OWNER TO fidelity_ts;

-- What uses them.
CREATE TABLE public.docs (id int PRIMARY KEY, body text, v tsvector GENERATED ALWAYS AS (to_tsvector('public.english2'::regconfig, body)) STORED);
CREATE INDEX docs_body ON public.docs USING gin (to_tsvector('"Odd ""ts""".  "Con fig"'::regconfig, body));
CREATE VIEW public.matches AS SELECT id FROM public.docs WHERE v @@ to_tsquery('public.english2'::regconfig, 'cat') AND ts_lexize('public.snow', 'cats') IS NOT NULL;
INSERT INTO public.docs (id, body) VALUES (1, 'Cats and dogs'), (2, 'postgres supernovae');

-- Of extensions.
CREATE EXTENSION unaccent;
CREATE EXTENSION dict_xsyn;
CREATE TEXT SEARCH CONFIGURATION public.unaccented (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION public.unaccented ALTER MAPPING FOR word WITH public.unaccent, simple;
CREATE TEXT SEARCH DICTIONARY public.un2 (TEMPLATE = public.unaccent, RULES = 'unaccent');
