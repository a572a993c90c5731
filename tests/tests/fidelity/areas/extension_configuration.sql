-- An extension with configuration tables, whose rows are the user's. It is installed on the server through COPY; a server that may not write
-- into its own folder of extensions is tested without it.
CREATE SCHEMA "Odd schema";
DO $do$
DECLARE
    folder text := (SELECT setting FROM pg_config WHERE name = 'SHAREDIR') || '/extension/';
BEGIN
    EXECUTE format($$ COPY (SELECT unnest(ARRAY['default_version = ''1.0''', 'relocatable = true'])) TO %L $$,
        folder || 'fidelity_config.control');
    EXECUTE format($$ COPY (SELECT unnest(ARRAY[
        'CREATE TABLE z_parent (id integer PRIMARY KEY, own boolean DEFAULT true, note text);',
        'CREATE TABLE a_child (id serial PRIMARY KEY, parent integer NOT NULL REFERENCES z_parent);',
        'CREATE TABLE b_own ("Odd ""col"", ü)" text, twice integer GENERATED ALWAYS AS (n * 2) STORED, n integer);',
        'CREATE TABLE c_all (x integer);',
        'CREATE TABLE d_none (x integer);',
        'CREATE TABLE e_no_columns ();',
        'CREATE SEQUENCE numbers;',
        'CREATE SEQUENCE not_told;',
        'CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM c_all;',
        'INSERT INTO z_parent VALUES (1, false, ''shipped'');',
        'SELECT pg_catalog.pg_extension_config_dump(''a_child'', '''');',
        'SELECT pg_catalog.pg_extension_config_dump(''a_child_id_seq'', '''');',
        'SELECT pg_catalog.pg_extension_config_dump(''b_own'', ''WHERE n > 1 AND "Odd ""col"", ü)" <> ''''it''''''''s'''''');',
        'SELECT pg_catalog.pg_extension_config_dump(''c_all'', '''');',
        'SELECT pg_catalog.pg_extension_config_dump(''e_no_columns'', ''WHERE true'');',
        'SELECT pg_catalog.pg_extension_config_dump(''numbers'', '''');',
        'SELECT pg_catalog.pg_extension_config_dump(''seen'', '''');',
        'SELECT pg_catalog.pg_extension_config_dump(''z_parent'', ''WHERE own'');'])) TO %L $$,
        folder || 'fidelity_config--1.0.sql');
    CREATE EXTENSION fidelity_config SCHEMA "Odd schema";
    INSERT INTO "Odd schema".z_parent VALUES (2, true, 'mine'), (3, true, E'tab\t, newline\n, \\.');
    INSERT INTO "Odd schema".a_child (parent) VALUES (2), (3);
    INSERT INTO "Odd schema".b_own ("Odd ""col"", ü)", n) VALUES ('it''s', 5), ('kept', 7), ('small', 1);
    INSERT INTO "Odd schema".c_all VALUES (1), (NULL);
    INSERT INTO "Odd schema".d_none VALUES (1);
    INSERT INTO "Odd schema".e_no_columns DEFAULT VALUES;
    PERFORM setval('"Odd schema".numbers', 42);
    PERFORM setval('"Odd schema".not_told', 43);
    CREATE VIEW public.reader AS SELECT id FROM "Odd schema".z_parent;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR io_error THEN
    RAISE NOTICE 'the extension cannot be installed: %', SQLERRM;
END $do$;
