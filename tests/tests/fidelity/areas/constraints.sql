-- Constraints of tables: checks, keys, exclusions, foreign keys, inherited, not validated, NOT NULL.
CREATE SCHEMA "Odd schema";
CREATE EXTENSION btree_gist;
CREATE TABLE public.checks (a integer CHECK (a > 0), b text CONSTRAINT "Named ""b"", ü" CHECK (b <> 'it''s \'), c integer,
    CHECK (a < c), CONSTRAINT no_inherit CHECK (c > 1) NO INHERIT, CONSTRAINT calls CHECK (length(b) < 100 AND (a IS NULL OR c IS NOT NULL)));
ALTER TABLE public.checks ADD CONSTRAINT late CHECK (a <> 7) NOT VALID, ADD CONSTRAINT "Late ""too"", ü" CHECK (a <> 8) NO INHERIT NOT VALID;
CREATE TABLE public.child (d integer, CONSTRAINT own CHECK (d > 0), CONSTRAINT "both" CHECK (a <> 9)) INHERITS (public.checks);
ALTER TABLE public.child ADD CONSTRAINT child_late CHECK (d < 5) NOT VALID;
CREATE TABLE public.grandchild (a integer, CHECK (a > 0)) INHERITS (public.child);
COMMENT ON CONSTRAINT late ON public.checks IS 'late';
COMMENT ON CONSTRAINT "Named ""b"", ü" ON public.checks IS E'two\nlines';
COMMENT ON CONSTRAINT own ON public.child IS 'own';
CREATE TABLE public.keys (id integer, a integer, b integer, c text, "D ""d"", ü" integer,
    CONSTRAINT "Key ""k"", ü" PRIMARY KEY (id, "D ""d"", ü"), UNIQUE (a), CONSTRAINT with_more UNIQUE (b) INCLUDE (c, a) WITH (fillfactor = 70),
    CONSTRAINT later UNIQUE (c) DEFERRABLE, CONSTRAINT last UNIQUE (a, b) DEFERRABLE INITIALLY DEFERRED);
CREATE UNIQUE INDEX from_index ON public.keys (c, b);
ALTER TABLE public.keys ADD CONSTRAINT by_index UNIQUE USING INDEX from_index;
COMMENT ON CONSTRAINT "Key ""k"", ü" ON public.keys IS 'the key';
COMMENT ON INDEX public.with_more IS 'its index';
CREATE TABLE "Odd schema".excludes (r int4range, v integer, t text, EXCLUDE USING gist (r WITH &&),
    CONSTRAINT "Ex ""c"", ü" EXCLUDE USING gist (v WITH =, r WITH &&) INCLUDE (t) WITH (fillfactor = 80) WHERE (v > 3) DEFERRABLE INITIALLY DEFERRED,
    EXCLUDE USING btree (lower(t) text_pattern_ops WITH =), EXCLUDE USING hash (t COLLATE "C" WITH =));
CREATE TABLE public.refers (id integer PRIMARY KEY, k integer, d integer, a integer REFERENCES public.keys (a), b integer,
    CONSTRAINT "Ref ""r"", ü" FOREIGN KEY (k, d) REFERENCES public.keys (id, "D ""d"", ü") MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL,
    FOREIGN KEY (b) REFERENCES public.keys (b) ON UPDATE RESTRICT ON DELETE SET DEFAULT DEFERRABLE,
    CONSTRAINT self FOREIGN KEY (a) REFERENCES public.refers DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE public.refers ADD CONSTRAINT unproven FOREIGN KEY (d) REFERENCES public.refers ON DELETE CASCADE NOT VALID;
COMMENT ON CONSTRAINT unproven ON public.refers IS 'unproven';
CREATE TABLE public.one (id integer PRIMARY KEY, other integer);
CREATE TABLE public.two (id integer PRIMARY KEY, other integer REFERENCES public.one);
ALTER TABLE public.one ADD FOREIGN KEY (other) REFERENCES public.two;
INSERT INTO public.one VALUES (1, NULL);
INSERT INTO public.two VALUES (1, 1);
UPDATE public.one SET other = 1;
CREATE TABLE public.nulls (a integer NOT NULL, "B ""b"", ü" text NOT NULL DEFAULT 'x');
CREATE TABLE public.nulls_child (c integer) INHERITS (public.nulls);
CREATE TABLE public.nulls_off (a integer, c integer) INHERITS (public.nulls_child);
CREATE TABLE public.nulls_maybe (a integer, b integer);
CREATE TABLE public.nulls_added () INHERITS (public.nulls_maybe);
ALTER TABLE public.nulls_added ALTER a SET NOT NULL;
CREATE TABLE public.keyed_child (PRIMARY KEY (a)) INHERITS (public.nulls_maybe);
CREATE TABLE public.generated (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED NOT NULL, c text COLLATE "C" GENERATED ALWAYS AS (CASE WHEN a > 1 THEN 'it''s' END) STORED);
