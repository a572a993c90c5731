-- since 17
CREATE TABLE public.endless (id int, i interval, a interval[]);
INSERT INTO public.endless VALUES (1, 'infinity', '{infinity,-infinity}'), (2, '-infinity', '{}');
