-- since 18
-- What 18 brought to privileges and comments.
DO $$ BEGIN CREATE ROLE fidelity_a; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE fidelity_b; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA app;
CREATE TABLE app.t (id integer PRIMARY KEY, n integer);
ALTER DEFAULT PRIVILEGES FOR ROLE fidelity_a GRANT SELECT ON LARGE OBJECTS TO fidelity_b;
GRANT MAINTAIN ON app.t TO fidelity_b;
COMMENT ON CONSTRAINT t_id_not_null ON app.t IS 'has a name since 18';
