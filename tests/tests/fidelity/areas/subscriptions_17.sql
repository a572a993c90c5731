-- since 17
-- Options of subscriptions that came with PostgreSQL 15 to 17.
CREATE SUBSCRIPTION two_phase CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, two_phase = true);
CREATE SUBSCRIPTION on_error CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, disable_on_error = true);
CREATE SUBSCRIPTION without_password CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, password_required = false);
CREATE SUBSCRIPTION owner_runs CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, run_as_owner = true);
CREATE SUBSCRIPTION only_own CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, origin = none);
CREATE SUBSCRIPTION parallel CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, streaming = parallel);
CREATE SUBSCRIPTION fails_over CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, failover = true);
CREATE SUBSCRIPTION everything CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, two_phase, disable_on_error,
    password_required = false, run_as_owner, failover, origin = 'none', binary, streaming = on, synchronous_commit = 'remote_write');
