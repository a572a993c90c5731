ALTER DEFAULT PRIVILEGES FOR ROLE kinds_alice GRANT SELECT ON LARGE OBJECTS TO kinds_bob;
GRANT MAINTAIN ON app.t TO kinds_bob;
COMMENT ON CONSTRAINT t_id_not_null ON app.t IS 'has a name since 18';
