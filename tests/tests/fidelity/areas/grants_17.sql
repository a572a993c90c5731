-- since 17
-- The MAINTAIN privilege.
DO $$ BEGIN CREATE ROLE fidelity_a; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE TABLE public.t (id integer);
CREATE TABLE public.all_but (id integer);
CREATE MATERIALIZED VIEW public.mv AS SELECT 1 AS x;
GRANT MAINTAIN ON public.t TO fidelity_a;
GRANT MAINTAIN, SELECT ON public.mv TO PUBLIC;
GRANT ALL ON public.all_but TO fidelity_a WITH GRANT OPTION;
REVOKE MAINTAIN ON public.all_but FROM CURRENT_USER;
REVOKE GRANT OPTION FOR MAINTAIN ON public.all_but FROM fidelity_a;
ALTER DEFAULT PRIVILEGES GRANT MAINTAIN ON TABLES TO fidelity_a;
