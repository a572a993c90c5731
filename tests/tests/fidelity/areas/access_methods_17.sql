-- since 17
-- Partitioned tables that say the access method of their partitions to come.
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE public.part (a int) PARTITION BY LIST (a) USING heap2;
CREATE TABLE public.part_1 PARTITION OF public.part FOR VALUES IN (1);
CREATE TABLE public.part_2 PARTITION OF public.part FOR VALUES IN (2) USING heap;
CREATE TABLE public.sub PARTITION OF public.part FOR VALUES IN (3) PARTITION BY RANGE (a);
CREATE TABLE public.sub_1 PARTITION OF public.sub DEFAULT;
CREATE TABLE public.silent (a int) PARTITION BY LIST (a);
INSERT INTO public.part VALUES (1), (2), (3);
