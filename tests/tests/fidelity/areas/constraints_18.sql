-- since 18
-- Named NOT NULL constraints, virtual columns, constraints that are not enforced, temporal keys.
CREATE SCHEMA "Odd schema";
CREATE EXTENSION btree_gist;
CREATE TABLE public.named (a integer CONSTRAINT "Not ""null"", ü" NOT NULL, b integer NOT NULL, c integer, CONSTRAINT c_there NOT NULL c, d integer CONSTRAINT d_no NOT NULL NO INHERIT);
CREATE TABLE public.child () INHERITS (public.named);
CREATE TABLE public.child_named (CONSTRAINT own_name NOT NULL a, CONSTRAINT d_child NOT NULL d) INHERITS (public.named);
CREATE TABLE public.grandchild (b integer CONSTRAINT merged NOT NULL) INHERITS (public.child_named);
CREATE TABLE public.two_parents (x integer) INHERITS (public.child, public.child_named);
CREATE TABLE public.usual (id integer CONSTRAINT usual_id_not_null NOT NULL, v integer CONSTRAINT usual_v_not_null NOT NULL);
ALTER TABLE public.usual RENAME v TO w;
CREATE TABLE public.keyed (id integer PRIMARY KEY, other integer);
CREATE TABLE public.keyed_named (id integer CONSTRAINT id_there NOT NULL PRIMARY KEY);
CREATE TABLE public.keyed_child () INHERITS (public.keyed);
CREATE TABLE public.no_inherit (id integer NOT NULL NO INHERIT);
CREATE TABLE public.no_inherit_child () INHERITS (public.no_inherit);
CREATE TABLE public.late (a integer, b integer);
ALTER TABLE public.late ADD CONSTRAINT late_a NOT NULL a NOT VALID, ADD CONSTRAINT late_b NOT NULL b NOT VALID;
INSERT INTO public.child VALUES (1, 2, 3, NULL);
CREATE TABLE public.late_child () INHERITS (public.late);
CREATE TABLE public.late_child_valid (CONSTRAINT valid_here NOT NULL a) INHERITS (public.late);
CREATE TABLE public.parts (k integer CONSTRAINT k_there NOT NULL, v text) PARTITION BY LIST (k);
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1);
CREATE TABLE public.parts_2 (v text CONSTRAINT v_own NOT NULL, k integer CONSTRAINT k_own NOT NULL);
ALTER TABLE public.parts ATTACH PARTITION public.parts_2 FOR VALUES IN (2);
CREATE TABLE public.parts_3 PARTITION OF public.parts (v CONSTRAINT v_three NOT NULL) FOR VALUES IN (3);
CREATE TABLE public.key_parts (id integer, k integer, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE public.key_parts_1 PARTITION OF public.key_parts FOR VALUES IN (1);
COMMENT ON CONSTRAINT "Not ""null"", ü" ON public.named IS 'not null';
COMMENT ON CONSTRAINT usual_id_not_null ON public.usual IS 'it has the usual name';
COMMENT ON CONSTRAINT keyed_id_not_null ON public.keyed IS 'of a key';
COMMENT ON CONSTRAINT k_there ON public.parts IS 'of a partitioned table';
COMMENT ON CONSTRAINT k_own ON public.parts_2 IS 'of a partition';
COMMENT ON CONSTRAINT late_a ON public.late IS 'late';
COMMENT ON CONSTRAINT d_child ON public.child_named IS 'of a child';

CREATE TABLE public.virtual (a integer, b integer GENERATED ALWAYS AS (a * 2), c integer GENERATED ALWAYS AS (a + 1) VIRTUAL NOT NULL,
    d integer GENERATED ALWAYS AS (a - 1) STORED, "E ""e"", ü" text COLLATE "C" GENERATED ALWAYS AS ('it''s ' || a), f integer);
CREATE TABLE public.virtual_child (f integer DEFAULT 3) INHERITS (public.virtual);
CREATE TABLE public.virtual_other (b integer GENERATED ALWAYS AS (a * 3)) INHERITS (public.virtual);
CREATE TABLE public.virtual_parts (a integer, b integer GENERATED ALWAYS AS (a * 2) VIRTUAL) PARTITION BY LIST (a);
CREATE TABLE public.virtual_parts_1 PARTITION OF public.virtual_parts (b GENERATED ALWAYS AS (a * 5) VIRTUAL) FOR VALUES IN (1);
INSERT INTO public.virtual (a, f) VALUES (1, 2);
INSERT INTO public.virtual_parts (a) VALUES (1);
CREATE VIEW public.over_virtual AS SELECT b, c FROM public.virtual;

CREATE TABLE public.not_enforced (id integer PRIMARY KEY, a integer CHECK (a > 0) NOT ENFORCED, b integer,
    CONSTRAINT "Not ""enforced"", ü" CHECK (b < a) NOT ENFORCED, ref integer REFERENCES public.not_enforced NOT ENFORCED);
INSERT INTO public.not_enforced VALUES (1, -1, 5, 99);
ALTER TABLE public.not_enforced ADD CONSTRAINT later FOREIGN KEY (b) REFERENCES public.not_enforced ON DELETE CASCADE NOT ENFORCED;
CREATE TABLE public.not_enforced_child (CHECK (a > 5) NOT ENFORCED) INHERITS (public.not_enforced);
CREATE TABLE public.not_enforced_parts (id integer, CHECK (id > 0) NOT ENFORCED, ref integer REFERENCES public.not_enforced NOT ENFORCED) PARTITION BY LIST (id);
CREATE TABLE public.not_enforced_parts_1 PARTITION OF public.not_enforced_parts FOR VALUES IN (1);
COMMENT ON CONSTRAINT "Not ""enforced"", ü" ON public.not_enforced IS 'not enforced';

CREATE TABLE public.temporal (id int4range, valid daterange, v text, CONSTRAINT "Temporal ""key"", ü" PRIMARY KEY (id, valid WITHOUT OVERLAPS),
    CONSTRAINT other UNIQUE (v, valid WITHOUT OVERLAPS));
CREATE TABLE "Odd schema".temporal_refers (id int4range, valid datemultirange, at daterange, ref int4range,
    PRIMARY KEY (id, at WITHOUT OVERLAPS), CONSTRAINT "Period ""fk"", ü" FOREIGN KEY (ref, PERIOD at) REFERENCES public.temporal (id, PERIOD valid));
INSERT INTO public.temporal VALUES ('[1,2)', '[2020-01-01,2021-01-01)', 'x');
ALTER TABLE public.temporal CLUSTER ON "Temporal ""key"", ü";
COMMENT ON CONSTRAINT other ON public.temporal IS 'temporal';
