-- Range types.
DO $$ BEGIN CREATE ROLE fidelity_range; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""range""";
CREATE COLLATION public.german (PROVIDER = icu, LOCALE = 'de');
CREATE TYPE public.plain_range AS RANGE (SUBTYPE = float8);
CREATE TYPE public.with_diff AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE FUNCTION "Odd ""range"""."di (ff"(time, time) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT extract(epoch FROM ($1 - $2))::float8';
CREATE TYPE "Odd ""range"""."Time ""range""" AS RANGE (SUBTYPE = time, SUBTYPE_DIFF = "Odd ""range"""."di (ff");
CREATE TYPE public.collated AS RANGE (SUBTYPE = text, COLLATION = public.german, SUBTYPE_OPCLASS = text_pattern_ops);
CREATE TYPE public.collated_c AS RANGE (SUBTYPE = varchar, COLLATION = "C");
CREATE TYPE public."Range" AS RANGE (SUBTYPE = int8);
CREATE TYPE public.of_enum_base AS ENUM ('a', 'b', 'c');
CREATE TYPE public.of_enum AS RANGE (SUBTYPE = public.of_enum_base);
CREATE TYPE public.of_array AS RANGE (SUBTYPE = int[]);

-- A canonical function, which needs the type before it is there.
CREATE TYPE public.canonical;
CREATE FUNCTION "Odd ""range"""."can (on"(public.canonical) RETURNS public.canonical LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE TYPE public.canonical AS RANGE (SUBTYPE = int4, CANONICAL = "Odd ""range"""."can (on", SUBTYPE_DIFF = int4range_subdiff);

COMMENT ON TYPE public.plain_range IS E'it''s \\ a range\n';
COMMENT ON TYPE "Odd ""range"""."Time ""range""" IS 'odd';
ALTER TYPE public.plain_range OWNER TO fidelity_range;
GRANT USAGE ON TYPE public.collated TO fidelity_range;
REVOKE USAGE ON TYPE public.canonical FROM PUBLIC;

-- What uses them: columns, constructor functions, domains, indexes, functions with polymorphic arguments.
CREATE DOMAIN public.dom AS public.plain_range CHECK (NOT isempty(VALUE));
CREATE TABLE public.t (p public.plain_range DEFAULT public.plain_range(1, 2), t "Odd ""range"""."Time ""range""", c public.canonical, ps public.plain_range[],
    e public.of_enum, d public.dom, x public.collated, EXCLUDE USING gist (c WITH &&));
CREATE FUNCTION public.a_makes(int, int) RETURNS public.canonical LANGUAGE sql AS 'SELECT public.canonical($1, $2)';
CREATE VIEW public.a_view AS SELECT public.plain_range(1, 3, '[]') AS r, public."Range"(1, 2) AS s;
INSERT INTO public.t VALUES (DEFAULT, '[10:00,11:00)', '[1,5]', ARRAY['empty'::public.plain_range], '[a,c)', '(1,2)', '["it''s",)');
