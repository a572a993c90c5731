-- The schema public as many close it.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE TABLE public.t (id integer);
