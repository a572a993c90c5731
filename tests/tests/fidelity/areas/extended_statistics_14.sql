-- since 14
-- Extended statistics on expressions.
CREATE TABLE public.t (a integer, b integer, "C ""d"", ü" text, d timestamp);
CREATE FUNCTION public.twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT $1 * 2 $$;
CREATE STATISTICS public.one_expression ON (a + b) FROM public.t;
CREATE STATISTICS public.mixed (mcv, ndistinct) ON a, (b % 10), lower("C ""d"", ü"), (public.twice(a)) FROM public.t;
CREATE STATISTICS public.months ON date_trunc('month', d), (d IS NULL), ("C ""d"", ü" || 'it''s \') FROM public.t;
ALTER STATISTICS public.mixed SET STATISTICS 100;
COMMENT ON STATISTICS public.one_expression IS 'one';
