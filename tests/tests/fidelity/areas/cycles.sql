-- What needs itself: views, rules, defaults, types, constraints, functions; and orders that no alphabet gives.
CREATE SCHEMA other;

-- Two views that read each other, made with CREATE OR REPLACE; three of them; one in another schema; what hangs on them.
CREATE VIEW public.loop_a AS SELECT 1 AS x, 'a'::text COLLATE "C" AS y;
CREATE VIEW public.loop_b AS SELECT x, y FROM public.loop_a;
CREATE OR REPLACE VIEW public.loop_a AS SELECT x, (y || 'a') COLLATE "C" AS y FROM public.loop_b;
CREATE VIEW other.three_1 AS SELECT 1 AS x;
CREATE VIEW public.three_2 WITH (security_barrier) AS SELECT x FROM other.three_1;
CREATE VIEW public.three_3 AS SELECT x FROM public.three_2;
CREATE OR REPLACE VIEW other.three_1 AS SELECT x FROM public.three_3;
COMMENT ON VIEW public.loop_a IS 'loops';
COMMENT ON COLUMN public.loop_a.y IS 'a column';
GRANT SELECT ON public.loop_a TO pg_monitor;
CREATE VIEW public.reads_loop AS SELECT * FROM public.loop_a;
CREATE FUNCTION public.aa_of_loop(public.loop_a) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE RULE loop_insert AS ON INSERT TO public.loop_a DO INSTEAD NOTHING;
CREATE FUNCTION public.loop_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER loop_delete INSTEAD OF DELETE ON public.loop_b FOR EACH ROW EXECUTE FUNCTION public.loop_trigger();

-- A view that reads itself through a function that takes its row type.
CREATE VIEW public.self_view AS SELECT 1 AS x;
CREATE FUNCTION public.of_self(public.self_view) RETURNS int LANGUAGE sql AS 'SELECT $1.x';
CREATE OR REPLACE VIEW public.self_view AS SELECT public.of_self(ROW(1)::public.self_view) AS x;

-- Views and rules: a rule that writes to what reads the view.
CREATE TABLE public.base (id int PRIMARY KEY, v text);
CREATE VIEW public.over_base AS SELECT id, v FROM public.base;
CREATE VIEW public.over_over AS SELECT id FROM public.over_base;
CREATE RULE into_base AS ON INSERT TO public.over_base DO INSTEAD INSERT INTO public.base SELECT new.id, new.v WHERE NOT EXISTS (SELECT FROM public.over_over o WHERE o.id = new.id);

-- Views that group by a primary key, and what needs them.
CREATE VIEW public.a_grouped AS SELECT b.id, b.v, count(*) FROM public.base b GROUP BY b.id;
CREATE VIEW public.b_of_grouped AS SELECT id FROM public.a_grouped;
CREATE MATERIALIZED VIEW public.m_grouped AS SELECT b.id, b.v FROM public.base b GROUP BY b.id;
CREATE MATERIALIZED VIEW public.m_of_m AS SELECT id FROM public.m_grouped;
CREATE VIEW public.v_of_m AS SELECT id FROM public.m_of_m;

-- Tables and their own functions: in a check, a default, a generated column, an index, a policy, a trigger.
CREATE TABLE public.checked (a int, b int);
CREATE FUNCTION public.row_is_good(public.checked) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a > 0';
ALTER TABLE public.checked ADD CONSTRAINT good CHECK (public.row_is_good(checked));
ALTER TABLE public.checked ADD CONSTRAINT a_plain CHECK (b > 0);
ALTER TABLE public.checked ADD CONSTRAINT zz_good CHECK (public.row_is_good(checked) AND a <> b);
COMMENT ON CONSTRAINT good ON public.checked IS 'by its own row';
COMMENT ON CONSTRAINT a_plain ON public.checked IS 'plain';
INSERT INTO public.checked VALUES (1, 2);
CREATE TABLE public.defaulted (a int, b int, c int NOT NULL);
CREATE FUNCTION public.next_default(public.defaulted DEFAULT NULL) RETURNS int LANGUAGE sql AS 'SELECT 5';
ALTER TABLE public.defaulted ALTER b SET DEFAULT public.next_default(NULL);
ALTER TABLE public.defaulted ALTER c SET DEFAULT public.next_default() + 1;
INSERT INTO public.defaulted VALUES (1);
CREATE TABLE public.generated (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
CREATE FUNCTION public.of_generated(public.generated) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.b';
CREATE INDEX generated_f ON public.generated (public.of_generated(generated));
CREATE TABLE public.parted_checked (a int, b int) PARTITION BY LIST (a);
CREATE FUNCTION public.part_is_good(public.parted_checked) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a > 0';
CREATE TABLE public.parted_checked_1 PARTITION OF public.parted_checked FOR VALUES IN (1);
ALTER TABLE public.parted_checked ADD CONSTRAINT good CHECK (public.part_is_good(ROW(a, b)::public.parted_checked));
INSERT INTO public.parted_checked VALUES (1, 2);

-- Sequences that tables own, identity, a sequence owned by a table whose default is another's.
CREATE TABLE public.serials (a serial, b bigserial, c int GENERATED ALWAYS AS IDENTITY);
CREATE SEQUENCE public.shared_seq;
CREATE TABLE public.uses_shared (a int DEFAULT nextval('public.shared_seq'));
ALTER SEQUENCE public.shared_seq OWNED BY public.serials.a;

-- Functions whose defaults call functions, in a chain against the alphabet.
CREATE FUNCTION public.zz_default() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION public.mm_default(a int DEFAULT public.zz_default()) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION public.aa_default(a int DEFAULT public.mm_default() + public.zz_default()) RETURNS int LANGUAGE sql AS 'SELECT $1';
CREATE TABLE public.aa_of_default (a int DEFAULT public.aa_default());

-- A type and its functions; a function of the type's array; a domain over it whose check calls a function of the domain.
CREATE TYPE public.looped;
CREATE FUNCTION public.looped_out(public.looped) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE FUNCTION public.a_looped_in(cstring) RETURNS public.looped LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE TYPE public.looped (INPUT = public.a_looped_in, OUTPUT = public.looped_out, LIKE = int4);
CREATE FUNCTION public.a_of_looped(public.looped[]) RETURNS public.looped LANGUAGE sql AS 'SELECT $1[1]';
CREATE DOMAIN public.self_checked AS int;
CREATE FUNCTION public.check_self(public.self_checked) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
ALTER DOMAIN public.self_checked ADD CONSTRAINT by_itself CHECK (public.check_self(VALUE));
ALTER DOMAIN public.self_checked ADD CONSTRAINT a_plain CHECK (VALUE <> 7);
COMMENT ON CONSTRAINT by_itself ON DOMAIN public.self_checked IS 'loops';
COMMENT ON CONSTRAINT a_plain ON DOMAIN public.self_checked IS 'plain';
CREATE TABLE public.of_self_checked (a public.self_checked);

-- A domain over a composite whose check takes the composite; a composite of the domain; a table of both.
CREATE TYPE public.z_comp AS (a int);
CREATE FUNCTION public.zz_comp_ok(public.z_comp) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a > 0';
CREATE DOMAIN public.a_comp AS public.z_comp CHECK (public.zz_comp_ok(VALUE));
CREATE TYPE public.aa_comp AS (c public.a_comp, cs public.a_comp[]);
CREATE TABLE public.aaa (c public.aa_comp);
CREATE FUNCTION public.takes_aaa(public.aaa[]) RETURNS SETOF public.aa_comp LANGUAGE sql AS 'SELECT NULL::public.aa_comp';

-- A cast that a view and a default need, whose function comes last in the alphabet.
CREATE TYPE public.z_enum AS ENUM ('x', 'y');
CREATE FUNCTION public.zz_to_int(public.z_enum) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (public.z_enum AS int) WITH FUNCTION public.zz_to_int(public.z_enum) AS ASSIGNMENT;
CREATE VIEW public.a_cast AS SELECT 'x'::public.z_enum::int AS n;
CREATE TABLE public.a_cast_default (n int DEFAULT 'y'::public.z_enum);
