-- Tables of other access methods than the default.
CREATE ACCESS METHOD "Odd ""am"", ü" TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE public.usual (id integer);
CREATE TABLE public.t (id integer) USING heap2;
CREATE TABLE public.odd (id integer) USING "Odd ""am"", ü" WITH (fillfactor = 50);
CREATE MATERIALIZED VIEW public.kept USING heap2 AS SELECT 1 AS x;
CREATE TABLE public.parts (id integer) PARTITION BY LIST (id);
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1) USING heap2;
INSERT INTO public.t VALUES (1);
