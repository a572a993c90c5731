-- Enum types.
DO $$ BEGIN CREATE ROLE fidelity_enum; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""enum""";
CREATE TYPE public.empty AS ENUM ();
CREATE TYPE public.odd AS ENUM ('', ' ', 'it''s', E'back\\slash', E'new\nline', E'tab\t', '"quoted"', 'ß', '{a,b}', 'NULL', '$$', ',', '日本語',
    '123456789_123456789_123456789_123456789_123456789_123456789_123');
CREATE TYPE "Odd ""enum"""."Sel.ect" AS ENUM ('b', 'a');
ALTER TYPE "Odd ""enum"""."Sel.ect" ADD VALUE 'between' BEFORE 'a';
ALTER TYPE "Odd ""enum"""."Sel.ect" ADD VALUE 'first' BEFORE 'b';
ALTER TYPE "Odd ""enum"""."Sel.ect" ADD VALUE 'after b' AFTER 'b';
ALTER TYPE "Odd ""enum"""."Sel.ect" RENAME VALUE 'a' TO 'A';
COMMENT ON TYPE public.odd IS E'it''s \\ odd\n';
ALTER TYPE public.odd OWNER TO fidelity_enum;
GRANT USAGE ON TYPE "Odd ""enum"""."Sel.ect" TO fidelity_enum;
REVOKE ALL ON TYPE public.odd FROM PUBLIC;
CREATE TABLE public.t (o public.odd PRIMARY KEY DEFAULT '', os public.odd[], e public.empty, s "Odd ""enum"""."Sel.ect" DEFAULT 'b' CHECK (s < 'A'));
INSERT INTO public.t (o, os) SELECT v, ARRAY[v, NULL] FROM unnest(enum_range(NULL::public.odd)) v;
CREATE VIEW public.v AS SELECT * FROM public.t WHERE o IN ('it''s', E'new\nline') ORDER BY s;
