-- Rows of arrays and ranges.
CREATE TYPE public.mood AS ENUM ('sad', 'it''s "fine", really', '', '{}', E'back\\slash', 'NULL', '🙂');
CREATE TYPE public.pair AS (a int, "B b" text);
CREATE DOMAIN public.short_list AS text[] CHECK (cardinality(VALUE) < 5);
CREATE TYPE public.float_range AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TYPE public.text_range AS RANGE (SUBTYPE = text, COLLATION = "C");
CREATE TABLE public.arrays (
    id int PRIMARY KEY, i int[], t text[], tt text[][], m public.mood[], p public.pair[], s public.short_list, b bytea[], d date[], j jsonb[], n numeric(4,1)[]);
INSERT INTO public.arrays VALUES
    (1, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (2, '[-2:0]={1,NULL,3}', '[5:6]={a,b}', '[0:1][-1:0]={{a,b},{c,d}}', '[3:3]={sad}', NULL, '[2:2]={x}', '[0:0]={"\\x00"}', NULL, NULL, NULL),
    (3, '{{{1,2},{3,4}},{{5,6},{7,8}}}', ARRAY['', 'NULL', NULL, '{}', ',', '"', E'\\', E'\n', E'\t', ' a ', 'é🐘', E'\\.'],
        ARRAY[['a,b', 'c"d'], [NULL, E'e\\f']], ARRAY['it''s "fine", really', '', '{}', E'back\\slash', 'NULL', '🙂']::public.mood[],
        ARRAY[ROW(1, 'x'), ROW(NULL, NULL), ROW(2, '"()",\'), NULL]::public.pair[], ARRAY['a', E'\\.'], ARRAY['\x5c2e', '\x'::bytea, NULL],
        ARRAY['infinity', '0044-03-15 BC']::date[], ARRAY['{"a": [1, "\\u0041"]}', 'null', NULL]::jsonb[], '{1.5,NaN,-0.0}'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE public.ranges (
    id int PRIMARY KEY, i4 int4range, i8 int8range, n numrange, d daterange, ts tsrange, tz tstzrange, f public.float_range, t public.text_range, a int4range[]);
INSERT INTO public.ranges VALUES
    (1, 'empty', 'empty', 'empty', 'empty', 'empty', 'empty', 'empty', 'empty', '{empty,"[1,2)",NULL}'),
    (2, '(,)', '(,)', '(,)', '(,)', '(,)', '(,)', '(,)', '(,)', '{}'),
    (3, '[1,5]', '(1,9223372036854775807)', '[-1.50,1e10)', '[2000-01-01,infinity)', '["2000-01-01 00:00:00",infinity]', '(-infinity,"2000-01-01 00:00:00+05:45"]', '(-0,Infinity]', '["a,b","c""d\\"]', '{"(,5)"}'),
    (4, '[5,)', '(,5]', '[NaN,NaN]', '[0044-03-15 BC,)', NULL, NULL, '[NaN,NaN]', '["",)', NULL);
CREATE TABLE public.array_defaults (
    a int[] DEFAULT '[0:1]={1,2}', t text[] DEFAULT ARRAY['a,b', NULL, '{"'], m public.mood DEFAULT 'it''s "fine", really', r int4range DEFAULT '[1,3)' NOT NULL,
    EXCLUDE USING gist (r WITH &&));
INSERT INTO public.array_defaults DEFAULT VALUES;
CREATE INDEX ON public.arrays USING gin (t);
