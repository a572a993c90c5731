-- Domains.
DO $$ BEGIN CREATE ROLE fidelity_dom; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""dom""";
CREATE COLLATION public.german (PROVIDER = icu, LOCALE = 'de');
CREATE DOMAIN public.bare AS int;
CREATE DOMAIN public.sized AS varchar(10) COLLATE "C" DEFAULT 'it''s' NOT NULL CHECK (VALUE <> '') CONSTRAINT "Not ""x""" CHECK (VALUE <> 'x');
CREATE DOMAIN public.nullable AS int NULL DEFAULT 5 CONSTRAINT b_second CHECK (VALUE > 0) CONSTRAINT a_first CHECK (VALUE < 100);
CREATE DOMAIN public.expression AS timestamptz DEFAULT now() + interval '1 day' CHECK (VALUE > '2000-01-01 00:00+00'::timestamptz);
CREATE DOMAIN public.of_null AS text DEFAULT NULL;
CREATE DOMAIN public.numbered AS numeric(10, 2)[] CHECK (array_length(VALUE, 1) < 3);
CREATE DOMAIN "Odd ""dom"""."Sel.ect ß" AS text COLLATE public.german CONSTRAINT "Größe (cm)" CHECK (length(VALUE) > 0 AND VALUE !~ E'[''"\\\\]');
CREATE DOMAIN public.a_of_domain AS public.sized CHECK (length(VALUE) < 5);
CREATE DOMAIN public.a_of_odd AS "Odd ""dom"""."Sel.ect ß"[] DEFAULT '{a}';
CREATE TYPE public.comp AS (a int, b text);
CREATE DOMAIN public.a_of_comp AS public.comp DEFAULT ROW(1, 'x')::public.comp NOT NULL CHECK ((VALUE).a > 0 AND (VALUE).b IS NOT NULL);
CREATE TABLE public.rows (a int, b text);
CREATE DOMAIN public.of_rows AS public.rows CHECK ((VALUE).a > 0);

-- Checks by functions, constraints that are not valid yet, renamed and added ones.
CREATE FUNCTION public.zz_valid(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
CREATE FUNCTION public.zz_next() RETURNS int LANGUAGE sql AS 'SELECT 7';
CREATE DOMAIN public.by_function AS int DEFAULT public.zz_next() CHECK (public.zz_valid(VALUE));
ALTER DOMAIN public.bare ADD CONSTRAINT later CHECK (VALUE > 0) NOT VALID;
ALTER DOMAIN public.bare ADD CONSTRAINT "Lat er" CHECK (VALUE <> 5) NOT VALID;
ALTER DOMAIN public.bare ADD CHECK (VALUE <> 7);
ALTER DOMAIN public.nullable RENAME CONSTRAINT b_second TO "B";
ALTER DOMAIN public.nullable SET NOT NULL;
CREATE SEQUENCE public.seq;
CREATE DOMAIN public.from_sequence AS bigint DEFAULT nextval('public.seq');

COMMENT ON DOMAIN public.sized IS E'it''s \\ a domain\n';
COMMENT ON CONSTRAINT "Not ""x""" ON DOMAIN public.sized IS 'of the constraint';
COMMENT ON CONSTRAINT later ON DOMAIN public.bare IS 'not valid';
COMMENT ON CONSTRAINT "Größe (cm)" ON DOMAIN "Odd ""dom"""."Sel.ect ß" IS 'odd';
ALTER DOMAIN public.sized OWNER TO fidelity_dom;
REVOKE USAGE ON DOMAIN public.sized FROM PUBLIC;
GRANT USAGE ON TYPE public.a_of_comp TO fidelity_dom;

CREATE TABLE public.t (b public.bare, s public.sized, c public.a_of_comp DEFAULT ROW(2, 'y'), o "Odd ""dom"""."Sel.ect ß", os public.a_of_odd, n public.numbered, f public.by_function);
INSERT INTO public.t VALUES (1, 'y', ROW(1, 'x'), 'o', '{p,q}', '{1.5,2.25}', 3);
CREATE FUNCTION public.aa_takes(public.sized, public.by_function[]) RETURNS public.a_of_comp LANGUAGE sql AS $$ SELECT ROW(1, 'x')::public.a_of_comp $$;
