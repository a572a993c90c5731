-- Base types with every option, shells that were never completed, array companions with odd names.
DO $$ BEGIN CREATE ROLE fidelity_base; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""types""";

-- The least that a type needs; functions in the internal language.
CREATE TYPE public.number;
CREATE FUNCTION public.number_in(cstring) RETURNS public.number LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION public.number_out(public.number) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE public.number (INPUT = public.number_in, OUTPUT = public.number_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4);
COMMENT ON TYPE public.number IS 'a number';
ALTER TYPE public.number OWNER TO fidelity_base;

-- Everything, with functions of odd names in another schema.
CREATE TYPE public."Te xt";
CREATE FUNCTION "Odd ""types"""."in (x"(cstring, oid, integer) RETURNS public."Te xt" LANGUAGE internal STABLE STRICT AS 'varcharin';
CREATE FUNCTION "Odd ""types"""."select"(public."Te xt") RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'varcharout';
CREATE FUNCTION "Odd ""types""".receive(internal, oid, integer) RETURNS public."Te xt" LANGUAGE internal STABLE STRICT AS 'varcharrecv';
CREATE FUNCTION "Odd ""types""".send(public."Te xt") RETURNS bytea LANGUAGE internal STABLE STRICT AS 'varcharsend';
CREATE FUNCTION "Odd ""types""".typmod_in(cstring[]) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'varchartypmodin';
CREATE FUNCTION "Odd ""types""".typmod_out(integer) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'varchartypmodout';
CREATE FUNCTION "Odd ""types""".analyze(internal) RETURNS boolean LANGUAGE internal STRICT AS 'ts_typanalyze';
CREATE TYPE public."Te xt" (
    INPUT = "Odd ""types"""."in (x", OUTPUT = "Odd ""types"""."select", RECEIVE = "Odd ""types""".receive, SEND = "Odd ""types""".send,
    TYPMOD_IN = "Odd ""types""".typmod_in, TYPMOD_OUT = "Odd ""types""".typmod_out, ANALYZE = "Odd ""types""".analyze,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended, CATEGORY = 'S', PREFERRED = true,
    DEFAULT = E'it''s \\ a\nline', DELIMITER = ';', COLLATABLE = true);
COMMENT ON TYPE public."Te xt" IS E'it''s \\\nodd';

-- LIKE, other storages and alignments, an element type, a category of its own.
CREATE TYPE "Odd ""types"""."ÄÖ";
CREATE FUNCTION "Odd ""types""".ao_in(cstring) RETURNS "Odd ""types"""."ÄÖ" LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION "Odd ""types""".ao_out("Odd ""types"""."ÄÖ") RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE "Odd ""types"""."ÄÖ" (INPUT = "Odd ""types""".ao_in, OUTPUT = "Odd ""types""".ao_out, LIKE = text, CATEGORY = 'x', STORAGE = external);
CREATE TYPE public.pair;
CREATE FUNCTION public.pair_in(cstring) RETURNS public.pair LANGUAGE internal IMMUTABLE STRICT AS 'point_in';
CREATE FUNCTION public.pair_out(public.pair) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'point_out';
CREATE TYPE public.pair (INPUT = public.pair_in, OUTPUT = public.pair_out, INTERNALLENGTH = 16, ELEMENT = float8, ALIGNMENT = double,
    DEFAULT = '(0,0)', DELIMITER = '''');
CREATE TYPE public.small;
CREATE FUNCTION public.small_in(cstring) RETURNS public.small LANGUAGE internal IMMUTABLE STRICT AS 'int2in';
CREATE FUNCTION public.small_out(public.small) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int2out';
CREATE TYPE public.small (INPUT = public.small_in, OUTPUT = public.small_out, INTERNALLENGTH = 2, PASSEDBYVALUE, ALIGNMENT = int2, STORAGE = plain);
CREATE TYPE public.tiny;
CREATE FUNCTION public.tiny_in(cstring) RETURNS public.tiny LANGUAGE internal IMMUTABLE STRICT AS 'charin';
CREATE FUNCTION public.tiny_out(public.tiny) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'charout';
CREATE TYPE public.tiny (INPUT = public.tiny_in, OUTPUT = public.tiny_out, INTERNALLENGTH = 1, PASSEDBYVALUE, ALIGNMENT = char);
CREATE TYPE public.main_text;
CREATE FUNCTION public.main_text_in(cstring) RETURNS public.main_text LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION public.main_text_out(public.main_text) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE public.main_text (INPUT = public.main_text_in, OUTPUT = public.main_text_out, STORAGE = main);

-- Functions and other objects that take the types, before and after in the alphabet.
CREATE FUNCTION public.a_first(public.number, public."Te xt"[]) RETURNS public.pair LANGUAGE sql AS $$ SELECT '(1,2)'::public.pair $$;
CREATE FUNCTION public.zz_last(VARIADIC public.number[]) RETURNS SETOF public."Te xt" LANGUAGE sql AS $$ SELECT 'x'::public."Te xt" $$;
CREATE DOMAIN public.a_domain AS public.number DEFAULT '7';
CREATE TYPE public.a_composite AS (n public.number, t public."Te xt"(10) COLLATE "C", "ds" public.a_domain[]);
CREATE TABLE public.uses (id int PRIMARY KEY, n public.number DEFAULT '5', t public."Te xt"(20), a public.number[], o "Odd ""types"""."ÄÖ",
    p public.pair, s public.small, c public.tiny, m public.main_text, k public.a_composite);
INSERT INTO public.uses VALUES (1, '42', E'tab\there', '{1,2,3}', 'ä', '(1,2)', '-3', 'x', 'y', ROW('1', 'two', '{3}')),
                               (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- Array types: a name that is taken, a name of 63 bytes, a name that begins with an underscore.
CREATE TABLE public._taken (a int);
CREATE TYPE public.taken AS ENUM ('x');
CREATE TYPE public."123456789_123456789_123456789_123456789_123456789_123456789_123";
CREATE FUNCTION public.long_in(cstring) RETURNS public."123456789_123456789_123456789_123456789_123456789_123456789_123" LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION public.long_out(public."123456789_123456789_123456789_123456789_123456789_123456789_123") RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE public."123456789_123456789_123456789_123456789_123456789_123456789_123" (INPUT = public.long_in, OUTPUT = public.long_out, LIKE = text);
CREATE TYPE public._under;
CREATE FUNCTION public._under_in(cstring) RETURNS public._under LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION public._under_out(public._under) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE public._under (INPUT = public._under_in, OUTPUT = public._under_out);
CREATE TABLE public.arrays (t public.taken[], l public."123456789_123456789_123456789_123456789_123456789_123456789_123"[], u public._under[],
    r public._taken[]);
INSERT INTO public.arrays VALUES ('{x}', '{a,b}', '[2:3]={q,r}', NULL);

-- Shells that were never completed.
CREATE TYPE public.never;
CREATE TYPE "Odd ""types"""."Never ""ever""";
ALTER TYPE "Odd ""types"""."Never ""ever""" OWNER TO fidelity_base;

-- Grants.
REVOKE USAGE ON TYPE public.number FROM PUBLIC;
GRANT USAGE ON TYPE public.number TO fidelity_base;
GRANT USAGE ON TYPE public."Te xt" TO fidelity_base WITH GRANT OPTION;
REVOKE ALL ON TYPE "Odd ""types"""."ÄÖ" FROM PUBLIC;

-- Base types of an extension, and what uses them.
CREATE EXTENSION hstore;
CREATE FUNCTION public.of_hstore(public.hstore) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
CREATE TABLE public.with_hstore (h public.hstore, hs public.hstore[]);
INSERT INTO public.with_hstore VALUES ('a=>1', ARRAY['b=>2'::public.hstore]);
