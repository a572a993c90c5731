-- since 17
-- Identity columns of partitioned tables.
CREATE TABLE public.parts (id integer GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5), v text) PARTITION BY LIST (v);
CREATE TABLE public.parts_a PARTITION OF public.parts FOR VALUES IN ('a');
CREATE TABLE public.parts_b (v text, id integer NOT NULL);
ALTER TABLE public.parts ATTACH PARTITION public.parts_b FOR VALUES IN ('b');
CREATE TABLE public.parts_c PARTITION OF public.parts FOR VALUES IN ('c') PARTITION BY RANGE (id);
CREATE TABLE public.parts_c_1 PARTITION OF public.parts_c DEFAULT;
INSERT INTO public.parts (v) VALUES ('a'), ('b'), ('c');
ALTER SEQUENCE public.parts_id_seq RENAME TO "Odd ""seq"", ü";
