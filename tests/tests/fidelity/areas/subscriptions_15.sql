-- since 15
-- restored since 16
-- Options of subscriptions that came with PostgreSQL 15.
CREATE SUBSCRIPTION two_phase CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, two_phase = true);
CREATE SUBSCRIPTION on_error CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, disable_on_error = true);
