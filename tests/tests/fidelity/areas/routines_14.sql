-- since 14
-- Functions with bodies of the SQL standard, and what they need; procedures that give values out.
CREATE SCHEMA "Odd ""fn""";
CREATE TABLE public.orders (id int PRIMARY KEY, customer text, total numeric);
CREATE TABLE public.lines (order_id int REFERENCES public.orders, n int, price numeric, PRIMARY KEY (order_id, n));
INSERT INTO public.orders VALUES (1, 'a', 10), (2, 'b', 20);
CREATE FUNCTION public.a_total(int) RETURNS numeric LANGUAGE sql STABLE RETURN (SELECT o.total FROM public.orders o WHERE o.id = $1);
CREATE FUNCTION public.add_up(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN a + b;
CREATE FUNCTION "Odd ""fn"""."At omic"(x int) RETURNS SETOF public.orders LANGUAGE sql BEGIN ATOMIC
    SELECT * FROM public.orders WHERE id = x; SELECT * FROM public.orders WHERE id > x ORDER BY id; END;
CREATE FUNCTION public.empty_body() RETURNS void LANGUAGE sql BEGIN ATOMIC END;
CREATE PROCEDURE public.put(INOUT id int, t text) LANGUAGE sql BEGIN ATOMIC
    INSERT INTO public.orders VALUES (id, t, public.a_total(id)) ON CONFLICT DO NOTHING; SELECT id + 1; END;
CREATE VIEW public.b_view AS SELECT id, public.a_total(id) AS total FROM public.orders;
CREATE FUNCTION public.c_of_view(int) RETURNS numeric LANGUAGE sql RETURN (SELECT v.total FROM public.b_view v WHERE v.id = $1);
CREATE VIEW public.a_view AS SELECT public.c_of_view(1) AS x;
CREATE MATERIALIZED VIEW public.mv AS SELECT public.c_of_view(1) AS x;
CREATE FUNCTION public.of_mv() RETURNS numeric LANGUAGE sql RETURN (SELECT x FROM public.mv);
CREATE TABLE public.z (n int DEFAULT public.add_up(1), m numeric DEFAULT public.c_of_view(2), CHECK (public.add_up(n) > 0));

-- Grouped by a primary key: such a function comes after the data, and so does all that needs it.
CREATE FUNCTION public.grouped() RETURNS SETOF text LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT o.customer FROM public.orders o JOIN public.lines l ON l.order_id = o.id GROUP BY o.id; END;
CREATE FUNCTION public.uses_grouped() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM public.grouped());
COMMENT ON FUNCTION public.grouped() IS 'late';
GRANT EXECUTE ON FUNCTION public.grouped() TO pg_monitor;
CREATE PROCEDURE public.upsert(i int) LANGUAGE sql BEGIN ATOMIC
    INSERT INTO public.orders VALUES (i, 'x', 1) ON CONFLICT ON CONSTRAINT orders_pkey DO UPDATE SET total = excluded.total; END;

-- OUT arguments of procedures.
CREATE PROCEDURE public.gives(IN a int, OUT b int, INOUT c text DEFAULT 'x', VARIADIC d int[] DEFAULT '{}') LANGUAGE plpgsql AS $$ BEGIN b := a; END $$;
CREATE PROCEDURE public.gives(OUT "On ly" int) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE public.gives(text, OUT int) LANGUAGE sql BEGIN ATOMIC SELECT length($1); END;
COMMENT ON PROCEDURE public.gives(int, int, text, int[]) IS 'gives';
REVOKE ALL ON PROCEDURE public.gives(OUT int) FROM PUBLIC;
