-- The schema public as it was before PostgreSQL 15, with an empty comment.
GRANT ALL ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA public IS NULL;
CREATE TABLE public.t (id integer);
