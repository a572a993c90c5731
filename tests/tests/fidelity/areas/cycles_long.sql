-- Loops through several kinds of objects, where there is a choice of what to take apart.
-- Table, default, function, view.
CREATE TABLE public.t1 (a int, b int);
CREATE VIEW public.v1 AS SELECT a FROM public.t1;
CREATE FUNCTION public.f1(public.v1) RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER TABLE public.t1 ALTER b SET DEFAULT public.f1(NULL);
INSERT INTO public.t1 (a) VALUES (1);

-- Two tables whose defaults call functions on each other's rows; with checks instead; with both.
CREATE TABLE public.d_a (x int);
CREATE TABLE public.d_b (x int);
CREATE FUNCTION public.of_d_a(public.d_a) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION public.of_d_b(public.d_b) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
ALTER TABLE public.d_a ALTER x SET DEFAULT public.of_d_b(NULL);
ALTER TABLE public.d_b ALTER x SET DEFAULT public.of_d_a(NULL);
CREATE TABLE public.c_a (x int);
CREATE TABLE public.c_b (x int);
CREATE FUNCTION public.of_c_a(public.c_a) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION public.of_c_b(public.c_b) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE public.c_a ADD CONSTRAINT "by b" CHECK (public.of_c_b(NULL));
ALTER TABLE public.c_b ADD CONSTRAINT "by a" CHECK (public.of_c_a(NULL));
CREATE TABLE public.m_a (x int);
CREATE TABLE public.m_b (x int);
CREATE FUNCTION public.of_m_a(public.m_a) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION public.of_m_b(public.m_b) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
ALTER TABLE public.m_a ALTER x SET DEFAULT public.of_m_b(NULL);
ALTER TABLE public.m_b ADD CONSTRAINT "by a" CHECK (public.of_m_a(NULL) = 1);

-- The same with names against the alphabet and the order of creation.
CREATE TABLE public.z_first (x int);
CREATE TABLE public.a_second (x int);
CREATE FUNCTION public.b_of(public.z_first) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION public.y_of(public.a_second) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
ALTER TABLE public.z_first ALTER x SET DEFAULT public.y_of(NULL);
ALTER TABLE public.a_second ALTER x SET DEFAULT public.b_of(NULL);

-- A domain's check by a function on a table that has a column of the domain; a composite between.
CREATE DOMAIN public.dom AS int;
CREATE TABLE public.has_dom (d public.dom, e int);
CREATE FUNCTION public.of_has_dom(public.has_dom) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER DOMAIN public.dom ADD CONSTRAINT "by table" CHECK (public.of_has_dom(NULL));
ALTER DOMAIN public.dom ADD CONSTRAINT plain CHECK (VALUE > 0);
CREATE DOMAIN public.dom2 AS int;
CREATE TYPE public.comp AS (d public.dom2[]);
CREATE FUNCTION public.of_comp(public.comp) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER DOMAIN public.dom2 ADD CHECK (public.of_comp(NULL));

-- Two views through functions of each other's rows; a view and a table's check.
CREATE VIEW public.va AS SELECT 1 AS x;
CREATE VIEW public.vb AS SELECT 1 AS x;
CREATE FUNCTION public.of_va(public.va) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.of_vb(public.vb) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE VIEW public.va AS SELECT public.of_vb(NULL) AS x;
CREATE OR REPLACE VIEW public.vb AS SELECT public.of_va(NULL) AS x;
CREATE TABLE public.t2 (x int);
CREATE VIEW public.v2 AS SELECT x FROM public.t2;
CREATE FUNCTION public.of_v2(public.v2) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE public.t2 ADD CHECK (public.of_v2(NULL));
COMMENT ON CONSTRAINT t2_check ON public.t2 IS 'through a view';
CREATE VIEW public.z_reads AS SELECT * FROM public.v2, public.va AS w(y);

-- A base type's function with a default of the type; a range's canonical function in a chain.
CREATE TYPE public.bt;
CREATE FUNCTION public.bt_in(cstring) RETURNS public.bt LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION public.bt_out(public.bt) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE public.bt (INPUT = public.bt_in, OUTPUT = public.bt_out, LIKE = int4);
CREATE FUNCTION public.bt_default(public.bt DEFAULT '5', public.bt[] DEFAULT '{1}') RETURNS public.bt LANGUAGE sql AS 'SELECT $1';
CREATE TABLE public.of_bt (a public.bt DEFAULT public.bt_default());
CREATE FUNCTION public.bt_cmp(public.bt, public.bt) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE FUNCTION public.bt_lt(public.bt, public.bt) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION public.bt_eq(public.bt, public.bt) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE OPERATOR public.< (FUNCTION = public.bt_lt, LEFTARG = public.bt, RIGHTARG = public.bt);
CREATE OPERATOR public.= (FUNCTION = public.bt_eq, LEFTARG = public.bt, RIGHTARG = public.bt);
CREATE OPERATOR CLASS public.bt_ops DEFAULT FOR TYPE public.bt USING btree AS OPERATOR 1 public.<, OPERATOR 3 public.=, FUNCTION 1 public.bt_cmp(public.bt, public.bt);
CREATE TYPE public.bt_range;
CREATE FUNCTION public.a_canonical(public.bt_range) RETURNS public.bt_range LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE FUNCTION public.z_diff(public.bt, public.bt) RETURNS float8 LANGUAGE internal IMMUTABLE STRICT AS 'int4range_subdiff';
CREATE TYPE public.bt_range AS RANGE (SUBTYPE = public.bt, SUBTYPE_OPCLASS = public.bt_ops, CANONICAL = public.a_canonical, SUBTYPE_DIFF = public.z_diff);
CREATE DOMAIN public.aa_bt AS public.bt_range CHECK (VALUE < '[5,6)'::public.bt_range);
CREATE TABLE public.aa (r public.aa_bt, EXCLUDE USING gist (r WITH =));
INSERT INTO public.aa VALUES ('[1,2)');
