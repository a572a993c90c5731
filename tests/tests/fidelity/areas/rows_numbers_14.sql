-- since 14
CREATE TABLE public.infinite (n numeric, a numeric[]);
INSERT INTO public.infinite VALUES ('Infinity', '{Infinity,-Infinity,NaN,0.0}'), ('-Infinity', '{}'), ('NaN', NULL);
CREATE INDEX ON public.infinite (n) WHERE n < 'Infinity';
CREATE TABLE public.compressed (a text COMPRESSION pglz, b text);
INSERT INTO public.compressed SELECT repeat('long text ', 10000), repeat(chr(10), 5000);
