-- Access methods of tables and of indexes, and what uses them.
CREATE SCHEMA "Odd ""am""";
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE FUNCTION "Odd ""am"""."heap (x"(internal) RETURNS table_am_handler LANGUAGE internal STRICT AS 'heap_tableam_handler';
CREATE ACCESS METHOD "Odd ""table"" AM" TYPE TABLE HANDLER "Odd ""am"""."heap (x";
COMMENT ON ACCESS METHOD "Odd ""table"" AM" IS E'it''s \\ an\nAM';
CREATE FUNCTION "Odd ""am"".""bt"(internal) RETURNS index_am_handler LANGUAGE internal STRICT AS 'bthandler';
CREATE ACCESS METHOD "select" TYPE INDEX HANDLER bthandler;
CREATE ACCESS METHOD gist2 TYPE INDEX HANDLER gisthandler;
COMMENT ON ACCESS METHOD gist2 IS 'gist under another name';

-- Tables, materialized views, partitions.
CREATE TABLE public.t2 (a int PRIMARY KEY, b text) USING heap2;
CREATE TABLE public."T 3" (a int, b text) USING "Odd ""table"" AM";
CREATE UNLOGGED TABLE public.t4 (a int) USING heap2;
CREATE MATERIALIZED VIEW public.m2 USING heap2 AS SELECT a FROM public.t2;
CREATE TABLE public.plain (a int);
CREATE TABLE public.part (a int) PARTITION BY LIST (a);
CREATE TABLE public.part_1 PARTITION OF public.part FOR VALUES IN (1) USING heap2;
CREATE TABLE public.part_2 PARTITION OF public.part FOR VALUES IN (2);
INSERT INTO public.t2 VALUES (1, 'x'), (2, E'tab\there');
INSERT INTO public."T 3" VALUES (3, NULL);
INSERT INTO public.part VALUES (1), (2);
REFRESH MATERIALIZED VIEW public.m2;

-- Operator classes and indexes of an index access method.
CREATE OPERATOR FAMILY public.ints USING "select";
CREATE OPERATOR CLASS public.ints DEFAULT FOR TYPE int4 USING "select" FAMILY public.ints AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int4, int4);
COMMENT ON OPERATOR CLASS public.ints USING "select" IS 'on an own access method';
CREATE OPERATOR CLASS public.points DEFAULT FOR TYPE box USING gist2 AS
    OPERATOR 1 <<, OPERATOR 2 &<, OPERATOR 3 &&,
    FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal),
    FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal);
CREATE TABLE public.boxes (b box, n int);
CREATE INDEX boxes_b ON public.boxes USING gist2 (b);
INSERT INTO public.boxes VALUES ('(0,0),(1,1)', 1), ('(2,2),(3,3)', 2);

-- Of an extension.
CREATE EXTENSION bloom;
CREATE INDEX boxes_bloom ON public.boxes USING bloom (n);
