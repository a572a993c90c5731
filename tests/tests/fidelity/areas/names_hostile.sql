-- Names that would run something, end something or hide something, were they not quoted.
DO $$ BEGIN CREATE ROLE "fidelity \! touch x
'; --"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "'; DROP SCHEMA public CASCADE; --";
CREATE SCHEMA "\! touch x" AUTHORIZATION "fidelity \! touch x
'; --";
CREATE SCHEMA "new
line";
CREATE TABLE "new
line"."
\! touch x
" ("
\.
" int PRIMARY KEY, "$$" text DEFAULT '$$', "\" text, """" text, "''" int, ";" int, "--" int, "/*" int, "%s" int, ":v" int,
    "Ünïcödé 漢字 🐘" text, "a.b" int, " lead and trail " int, "	tab" int);
INSERT INTO "new
line"."
\! touch x
" VALUES (1, '$$', E'\\.', '"', 1, 2, 3, 4, 5, 6, '🐘', 7, 8, 9);
CREATE TABLE "'; DROP SCHEMA public CASCADE; --"."'; DROP TABLE x; --" (a int PRIMARY KEY, b text);
INSERT INTO "'; DROP SCHEMA public CASCADE; --"."'; DROP TABLE x; --" VALUES (1, 'x');
CREATE TABLE "\! touch x"."\connect template1" (a int, CONSTRAINT "\q" PRIMARY KEY (a), CONSTRAINT "check ' "" $$ 
\! touch y" CHECK (a > 0));
CREATE TABLE public."name of sixty-three bytes, which is as long as a name can be: x" ("column of sixty-three bytes, as long as the name of one can be" int);
CREATE TABLE public."größe der größten tabelle mit einem namen von 63 bytes: ßßß" (a int);
CREATE INDEX "index
\! touch x" ON "\! touch x"."\connect template1" (a) WHERE a <> 5;
CREATE TYPE public."type '; "" \! touch x" AS ENUM ('
\! touch x
', '$$', ''';');
CREATE TABLE public."$function$" (a public."type '; "" \! touch x" DEFAULT '$$');
INSERT INTO public."$function$" VALUES (DEFAULT), ('
\! touch x
'), (''';');
CREATE FUNCTION public."f $_$ '(" ("arg $$ ," int, "
" text DEFAULT ''';$_$') RETURNS text LANGUAGE sql AS $body$ SELECT '$$ $_$ $function$
\! touch x
' $body$;
CREATE VIEW public."view
\! touch x" AS SELECT a AS "col
\! touch x", '
\.
'::text AS t FROM public."$function$";
CREATE SEQUENCE public."seq'; \! x";
SELECT setval('public."seq''; \! x"', 77);
CREATE TRIGGER "trigger
\! touch x" BEFORE UPDATE ON "\! touch x"."\connect template1" FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE RULE "rule '; \! x" AS ON DELETE TO public."$function$" DO INSTEAD NOTHING;
CREATE POLICY "policy
\! touch x" ON public."$function$" USING (a <> '$$');
COMMENT ON TABLE public."$function$" IS '
\! touch x
\connect template1
'';
$$';
COMMENT ON SCHEMA "new
line" IS E'\\.\r\n\\q';
COMMENT ON CONSTRAINT "\q" ON "\! touch x"."\connect template1" IS ''';';
GRANT SELECT ON "\! touch x"."\connect template1" TO "fidelity \! touch x
'; --";
GRANT SELECT ("column of sixty-three bytes, as long as the name of one can be") ON public."name of sixty-three bytes, which is as long as a name can be: x" TO PUBLIC;
ALTER TABLE public."name of sixty-three bytes, which is as long as a name can be: x" OWNER TO "fidelity \! touch x
'; --";
CREATE TABLE public."-- Name: x; Type: TABLE; Schema: public" ("-- load via partition root " int);
CREATE TABLE public."TABLE DATA" (a int);
INSERT INTO public."TABLE DATA" VALUES (1);
CREATE TABLE public."carriage
return" (a int);
CREATE TABLE public."Größe" (a int);
CREATE TABLE public.größe (a int);
CREATE TABLE public."GRÖSSE" (a int);
