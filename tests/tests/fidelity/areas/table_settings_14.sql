-- since 14
-- Compression of columns.
CREATE TABLE public.t (a text COMPRESSION pglz, b text, c text COMPRESSION default, d jsonb COMPRESSION pglz, e text);
ALTER TABLE public.t ALTER COLUMN e SET COMPRESSION pglz, ALTER COLUMN e SET STORAGE MAIN, ALTER COLUMN e SET STATISTICS 7;
CREATE TABLE public.child (b text COMPRESSION pglz) INHERITS (public.t);
CREATE MATERIALIZED VIEW public.kept AS SELECT 'x'::text AS x;
ALTER MATERIALIZED VIEW public.kept ALTER COLUMN x SET COMPRESSION pglz;
