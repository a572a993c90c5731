-- Tablespaces of tables, indexes, keys, materialized views and partitioned tables.
CREATE TABLE public.here (id integer PRIMARY KEY, v text);
CREATE TABLE public.there (id integer PRIMARY KEY USING INDEX TABLESPACE fidelity_space, v text UNIQUE USING INDEX TABLESPACE fidelity_space)
    TABLESPACE fidelity_space;
CREATE INDEX there_index ON public.there (v) TABLESPACE fidelity_space;
CREATE INDEX here_index ON public.there (v, id);
CREATE MATERIALIZED VIEW public.kept TABLESPACE fidelity_space AS SELECT 1 AS x;
CREATE TABLE public.parts (id integer, v text) PARTITION BY LIST (id) TABLESPACE fidelity_space;
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1);
CREATE TABLE public.parts_2 PARTITION OF public.parts FOR VALUES IN (2) TABLESPACE pg_default;
CREATE INDEX parts_index ON public.parts (v) TABLESPACE fidelity_space;
CREATE TABLE public.excludes (r int4range, EXCLUDE USING gist (r WITH &&) USING INDEX TABLESPACE fidelity_space);
CREATE TABLE public.moved (id integer);
ALTER TABLE public.moved SET TABLESPACE fidelity_space;
INSERT INTO public.there VALUES (1, 'x');
INSERT INTO public.parts VALUES (1, 'a'), (2, 'b');
