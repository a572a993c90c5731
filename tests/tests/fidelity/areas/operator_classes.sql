-- Operator classes and families of every access method, loose members, storage, order-by operators, families without members.
DO $$ BEGIN CREATE ROLE fidelity_opc; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""opc""";

-- A btree and a hash class on a composite type, the family made by hand, default; support functions.
CREATE TYPE public.version AS (major int, minor int);
CREATE FUNCTION public.v_cmp(public.version, public.version) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT CASE WHEN $1.major < $2.major THEN -1 WHEN $1.major > $2.major THEN 1 ELSE 0 END';
CREATE FUNCTION public.v_lt(public.version, public.version) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT public.v_cmp($1, $2) < 0';
CREATE FUNCTION public.v_le(public.version, public.version) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT public.v_cmp($1, $2) <= 0';
CREATE FUNCTION public.v_eq(public.version, public.version) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT public.v_cmp($1, $2) = 0';
CREATE FUNCTION public.v_ge(public.version, public.version) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT public.v_cmp($1, $2) >= 0';
CREATE FUNCTION public.v_gt(public.version, public.version) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT public.v_cmp($1, $2) > 0';
CREATE FUNCTION public.v_hash(public.version) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT hashint4($1.major)';
CREATE FUNCTION public.v_hash64(public.version, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS 'SELECT hashint4extended($1.major, $2)';
CREATE OPERATOR public.<! (FUNCTION = public.v_lt, LEFTARG = public.version, RIGHTARG = public.version, COMMUTATOR = >!, NEGATOR = >=!);
CREATE OPERATOR public.<=! (FUNCTION = public.v_le, LEFTARG = public.version, RIGHTARG = public.version, COMMUTATOR = >=!, NEGATOR = >!);
CREATE OPERATOR public.=! (FUNCTION = public.v_eq, LEFTARG = public.version, RIGHTARG = public.version, COMMUTATOR = =!, HASHES, MERGES);
CREATE OPERATOR public.>=! (FUNCTION = public.v_ge, LEFTARG = public.version, RIGHTARG = public.version, COMMUTATOR = <=!, NEGATOR = <!);
CREATE OPERATOR public.>! (FUNCTION = public.v_gt, LEFTARG = public.version, RIGHTARG = public.version, COMMUTATOR = <!, NEGATOR = <=!);
CREATE OPERATOR FAMILY "Odd ""opc"""."Fa mily" USING btree;
CREATE OPERATOR CLASS public.version_ops DEFAULT FOR TYPE public.version USING btree FAMILY "Odd ""opc"""."Fa mily" AS
    OPERATOR 1 public.<!, OPERATOR 2 public.<=!, OPERATOR 3 public.=!, OPERATOR 4 public.>=!, OPERATOR 5 public.>!,
    FUNCTION 1 public.v_cmp(public.version, public.version);
CREATE OPERATOR CLASS public.version_ops DEFAULT FOR TYPE public.version USING hash AS
    OPERATOR 1 public.=! (public.version, public.version), FUNCTION 1 public.v_hash(public.version), FUNCTION 2 public.v_hash64(public.version, bigint);
CREATE OPERATOR CLASS public."Select" FOR TYPE public.version USING btree AS
    OPERATOR 1 public.>!, OPERATOR 2 public.>=!, OPERATOR 3 public.=!, OPERATOR 4 public.<=!, OPERATOR 5 public.<!,
    FUNCTION 1 public.v_cmp(public.version, public.version);
COMMENT ON OPERATOR CLASS public.version_ops USING btree IS E'it''s \\ a class\n';
COMMENT ON OPERATOR CLASS public."Select" USING btree IS 'backwards';
COMMENT ON OPERATOR FAMILY "Odd ""opc"""."Fa mily" USING btree IS 'an odd family';
COMMENT ON OPERATOR FAMILY public.version_ops USING hash IS 'made with the class';
ALTER OPERATOR CLASS public."Select" USING btree OWNER TO fidelity_opc;
ALTER OPERATOR FAMILY "Odd ""opc"""."Fa mily" USING btree OWNER TO fidelity_opc;

-- Loose members: operators and functions across types.
CREATE FUNCTION "Odd ""opc"""."c mp"(public.version, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT CASE WHEN $1.major < $2 THEN -1 WHEN $1.major > $2 THEN 1 ELSE 0 END';
CREATE FUNCTION public.vi_lt(public.version, int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1.major < $2';
CREATE FUNCTION public.vi_eq(public.version, int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1.major = $2';
CREATE OPERATOR "Odd ""opc""".<! (FUNCTION = public.vi_lt, LEFTARG = public.version, RIGHTARG = int);
CREATE OPERATOR public.=! (FUNCTION = public.vi_eq, LEFTARG = public.version, RIGHTARG = int, MERGES);
ALTER OPERATOR FAMILY "Odd ""opc"""."Fa mily" USING btree ADD
    OPERATOR 1 "Odd ""opc""".<! (public.version, int), OPERATOR 3 public.=! (public.version, int),
    FUNCTION 1 (public.version, int) "Odd ""opc"""."c mp"(public.version, int);
ALTER OPERATOR FAMILY public.version_ops USING hash ADD FUNCTION 1 (int, int) pg_catalog.hashint4(int);
CREATE OPERATOR FAMILY public.empty_family USING gist;
CREATE OPERATOR FAMILY public.only_functions USING btree;
ALTER OPERATOR FAMILY public.only_functions USING btree ADD
    FUNCTION 1 (int4, int8) btint48cmp(int4, int8), FUNCTION 1 (int8, int4) btint84cmp(int8, int4), FUNCTION 2 (int4, int4) btint4sortsupport(internal);
CREATE OPERATOR FAMILY public.only_operators USING btree;
ALTER OPERATOR FAMILY public.only_operators USING btree ADD
    OPERATOR 5 > (int4, int8), OPERATOR 1 < (int4, int8), OPERATOR 1 < (int8, int4), OPERATOR 3 = (int8, int4), OPERATOR 1 < (int4, int4);

-- The same name for a class, a family and in several access methods.
CREATE OPERATOR FAMILY public.twin USING btree;
CREATE OPERATOR FAMILY public.twin USING hash;
CREATE OPERATOR CLASS public.twin FOR TYPE int4 USING hash FAMILY public.twin AS OPERATOR 1 =, FUNCTION 1 hashint4(int4);
CREATE OPERATOR CLASS public.twin FOR TYPE int4 USING btree FAMILY public.twin AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int4, int4), FUNCTION 2 (int4, int4) btint4sortsupport(internal),
    FUNCTION 1 (int4, int8) btint48cmp(int4, int8), FUNCTION 4 (int4, int4) btequalimage(oid);
CREATE FUNCTION public.extract_value(int4, internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'ginarrayextract';
CREATE FUNCTION public.extract_query(int4, internal, smallint, internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'ginqueryarrayextract';
CREATE FUNCTION public.consistent(internal, smallint, int4, int4, internal, internal) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'ginarrayconsistent';
CREATE OPERATOR CLASS public.twin FOR TYPE int4 USING gin AS
    OPERATOR 1 < (int4, int4), FUNCTION 1 btint4cmp(int4, int4), FUNCTION 2 public.extract_value(int4, internal), FUNCTION 3 public.extract_query(int4, internal, smallint, internal),
    FUNCTION 4 public.consistent(internal, smallint, int4, int4, internal, internal), STORAGE int8;

-- GiST with an order-by operator and another storage, SP-GiST, BRIN.
CREATE OPERATOR CLASS public.my_point FOR TYPE point USING gist AS
    STORAGE box,
    OPERATOR 1 <<, OPERATOR 5 >>, OPERATOR 6 ~=, OPERATOR 15 <-> (point, point) FOR ORDER BY pg_catalog.float_ops, OPERATOR 28 <@ (point, box),
    FUNCTION 1 gist_point_consistent(internal, point, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal), FUNCTION 3 gist_point_compress(internal),
    FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal),
    FUNCTION 8 (point, point) gist_point_distance(internal, point, smallint, oid, internal), FUNCTION 9 gist_point_fetch(internal);
ALTER OPERATOR FAMILY public.my_point USING gist ADD OPERATOR 48 <@ (point, polygon), OPERATOR 68 <@ (point, circle);
CREATE OPERATOR CLASS public.my_quad FOR TYPE point USING spgist AS
    OPERATOR 1 <<, OPERATOR 5 >>, OPERATOR 6 ~=, OPERATOR 8 <@ (point, box), OPERATOR 15 <-> (point, point) FOR ORDER BY pg_catalog.float_ops,
    FUNCTION 1 spg_quad_config(internal, internal), FUNCTION 2 spg_quad_choose(internal, internal), FUNCTION 3 spg_quad_picksplit(internal, internal),
    FUNCTION 4 spg_quad_inner_consistent(internal, internal), FUNCTION 5 spg_quad_leaf_consistent(internal, internal);
CREATE OPERATOR CLASS public.my_minmax FOR TYPE int4 USING brin AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 brin_minmax_opcinfo(internal), FUNCTION 2 brin_minmax_add_value(internal, internal, internal, internal),
    FUNCTION 3 brin_minmax_consistent(internal, internal, internal), FUNCTION 4 brin_minmax_union(internal, internal, internal);

-- A class of an enum and one without members; a class of a domain's base type as storage.
CREATE TYPE "Odd ""opc"""."En um" AS ENUM ('a', 'b');
CREATE OPERATOR CLASS "Odd ""opc"""."En um ops" FOR TYPE "Odd ""opc"""."En um" USING btree AS STORAGE "Odd ""opc"""."En um";

-- What uses classes: indexes, a range type, a partition key, an exclusion constraint, a hash-partitioned table.
CREATE TABLE public.releases (v public.version, p point, n int4, w public.version);
CREATE INDEX releases_v ON public.releases (v, w public."Select" DESC);
CREATE INDEX releases_h ON public.releases USING hash (v);
CREATE INDEX releases_p ON public.releases USING gist (p public.my_point);
CREATE INDEX releases_q ON public.releases USING spgist (p public.my_quad);
CREATE INDEX releases_n ON public.releases USING brin (n public.my_minmax);
CREATE TYPE public.version_range AS RANGE (SUBTYPE = public.version, SUBTYPE_OPCLASS = public."Select");
CREATE TABLE public.parts (v public.version, n int) PARTITION BY HASH (v);
CREATE TABLE public.parts_0 PARTITION OF public.parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE public.ranged (n int) PARTITION BY RANGE (n public.twin);
CREATE TABLE public.ranged_0 PARTITION OF public.ranged FOR VALUES FROM (1) TO (10);
INSERT INTO public.releases VALUES (ROW(1, 2), '(1,2)', 3, ROW(4, 5));
INSERT INTO public.parts VALUES (ROW(1, 2), 3);

-- Of extensions, and a class of one's own beside them.
CREATE EXTENSION btree_gist;
CREATE EXTENSION hstore;
CREATE OPERATOR CLASS public.my_hstore FOR TYPE public.hstore USING hash AS OPERATOR 1 public.=, FUNCTION 1 public.hstore_hash(public.hstore);
