-- restored since 16
-- Subscriptions as every version knows them. None of them has a password.
DO $$ BEGIN CREATE ROLE fidelity_superuser SUPERUSER; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
ALTER ROLE fidelity_superuser SUPERUSER;
CREATE SUBSCRIPTION plain CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false);
CREATE SUBSCRIPTION "Odd ""sub"", ü" CONNECTION 'host=''a b'' dbname=''it\''s'' passfile=''/nowhere/pass file''' PUBLICATION "Pub ""lic"", ü", "select", q
    WITH (connect = false, slot_name = 'other_slot');
CREATE SUBSCRIPTION no_slot CONNECTION 'postgresql://user@127.0.0.1:5/d?sslmode=disable' PUBLICATION p
    WITH (connect = false, slot_name = NONE, synchronous_commit = 'remote_apply');
CREATE SUBSCRIPTION "select" CONNECTION '' PUBLICATION p WITH (connect = false, synchronous_commit = 'local');
CREATE SUBSCRIPTION enabled CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, synchronous_commit = 'on');
COMMENT ON SUBSCRIPTION plain IS 'it''s plain';
COMMENT ON SUBSCRIPTION "Odd ""sub"", ü" IS E'two\nlines';
ALTER SUBSCRIPTION plain OWNER TO fidelity_superuser;
