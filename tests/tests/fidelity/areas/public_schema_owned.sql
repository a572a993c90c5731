-- The schema public with another owner, comment and grants.
DO $$ BEGIN CREATE ROLE fidelity_a; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE fidelity_b; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
ALTER SCHEMA public OWNER TO fidelity_a;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO fidelity_b WITH GRANT OPTION;
COMMENT ON SCHEMA public IS 'it''s "ours"';
CREATE TABLE public.t (id integer);
