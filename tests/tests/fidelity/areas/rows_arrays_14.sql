-- since 14
CREATE TYPE public.span AS RANGE (SUBTYPE = time, MULTIRANGE_TYPE_NAME = public.spans);
CREATE TABLE public.multiranges (id int, i int4multirange, n nummultirange, d datemultirange, tz tstzmultirange, s public.spans, a int8multirange[]);
INSERT INTO public.multiranges VALUES
    (1, '{}', '{}', '{}', '{}', '{}', '{}'),
    (2, '{(,)}', '{(,0),[1,1],(5,)}', '{[-infinity,infinity]}', '{["2000-01-01 00:00:00+00","2001-01-01 00:00:00+00")}', '{[10:00,11:00),(12:00,24:00]}', ARRAY['{[1,2),[5,9)}', '{}', NULL]::int8multirange[]),
    (3, NULL, NULL, NULL, NULL, NULL, NULL);
