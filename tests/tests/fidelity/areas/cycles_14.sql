-- since 14
-- Loops through functions with bodies of the SQL standard.
CREATE TABLE public.t (id int PRIMARY KEY, v text);
CREATE VIEW public.a_view AS SELECT id, v FROM public.t;
CREATE FUNCTION public.of_view() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM public.a_view);
CREATE OR REPLACE VIEW public.a_view AS SELECT id, v FROM public.t WHERE public.of_view() > 0;
CREATE FUNCTION public.f_a(int) RETURNS int LANGUAGE sql RETURN $1;
CREATE FUNCTION public.f_b(int) RETURNS int LANGUAGE sql RETURN public.f_a($1 - 1);
CREATE TABLE public.d (a int, b int);
CREATE FUNCTION public.d_count() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM public.d);
ALTER TABLE public.d ALTER b SET DEFAULT public.d_count();
ALTER TABLE public.d ADD CONSTRAINT few CHECK (public.d_count() < 100);
CREATE FUNCTION public.default_of_d(n bigint DEFAULT public.d_count()) RETURNS bigint LANGUAGE sql RETURN n;
INSERT INTO public.d (a) VALUES (1), (2);
CREATE MATERIALIZED VIEW public.m AS SELECT public.d_count() AS n;
CREATE FUNCTION public.of_m() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT n FROM public.m; END;
CREATE VIEW public.g AS SELECT t.id, t.v FROM public.t GROUP BY t.id;
CREATE FUNCTION public.of_g() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM public.g);
CREATE FUNCTION public.of_g_group() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT t.v FROM public.t GROUP BY t.id; END;
CREATE VIEW public.of_f AS SELECT public.of_g_group() AS x;
CREATE MATERIALIZED VIEW public.m_of_f AS SELECT * FROM public.of_g_group() AS x;
CREATE FUNCTION public.trigger_of_t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER on_t BEFORE INSERT ON public.t FOR EACH ROW WHEN (new.id > 0) EXECUTE FUNCTION public.trigger_of_t();
