-- since 14
-- restored since 16
-- Options of subscriptions that came with PostgreSQL 14.
CREATE SUBSCRIPTION bin CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, binary = true);
CREATE SUBSCRIPTION streaming CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, streaming = on);
CREATE SUBSCRIPTION not_streaming CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, streaming = off);
CREATE SUBSCRIPTION all_of_it CONNECTION 'host=127.0.0.1 port=5 dbname=d' PUBLICATION p WITH (connect = false, binary, streaming = true, slot_name = 's');
