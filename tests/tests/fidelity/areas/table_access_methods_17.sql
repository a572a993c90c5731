-- since 17
-- Partitioned tables with an access method of their own.
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE public.parts (id integer) PARTITION BY LIST (id) USING heap2;
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1);
CREATE TABLE public.parts_2 PARTITION OF public.parts FOR VALUES IN (2) USING heap;
