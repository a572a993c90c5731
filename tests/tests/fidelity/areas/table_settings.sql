-- Storage parameters, attribute storage, replica identity, clustering, typed and unlogged tables.
DO $$ BEGIN CREATE ROLE fidelity_tables; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd schema";
CREATE TABLE public.parameters (a integer, b text) WITH (fillfactor = 70, autovacuum_enabled = false, autovacuum_vacuum_threshold = 77,
    autovacuum_vacuum_scale_factor = 0.25, autovacuum_analyze_scale_factor = 0.5, autovacuum_freeze_max_age = 200000000,
    log_autovacuum_min_duration = 100, parallel_workers = 3, toast_tuple_target = 256, vacuum_truncate = off, user_catalog_table = true,
    toast.autovacuum_enabled = off, toast.autovacuum_vacuum_threshold = 5, toast.vacuum_truncate = true);
CREATE TABLE public.toast_only (b text) WITH (toast.autovacuum_vacuum_cost_delay = 1.5);
CREATE TABLE public.no_toast (a integer) WITH (fillfactor = 100);
CREATE TABLE public.storage (a text, b text, c text, d text, e integer, f numeric, g bytea);
ALTER TABLE public.storage ALTER a SET STORAGE PLAIN, ALTER b SET STORAGE EXTERNAL, ALTER c SET STORAGE EXTENDED, ALTER d SET STORAGE MAIN,
    ALTER f SET STORAGE EXTENDED, ALTER g SET STORAGE EXTERNAL;

CREATE TABLE public.identity_default (id integer PRIMARY KEY);
CREATE TABLE public.identity_full (id integer PRIMARY KEY);
ALTER TABLE public.identity_full REPLICA IDENTITY FULL;
CREATE TABLE "Odd schema"."No ""thing"", ü" (id integer PRIMARY KEY);
ALTER TABLE "Odd schema"."No ""thing"", ü" REPLICA IDENTITY NOTHING;
CREATE TABLE public.identity_index (id integer NOT NULL, v text);
CREATE UNIQUE INDEX "By ""index"", ü" ON public.identity_index (id);
ALTER TABLE public.identity_index REPLICA IDENTITY USING INDEX "By ""index"", ü";
CREATE TABLE public.identity_key (id integer, v integer NOT NULL, CONSTRAINT "The ""key"", ü" PRIMARY KEY (id), CONSTRAINT other UNIQUE (v));
ALTER TABLE public.identity_key REPLICA IDENTITY USING INDEX "The ""key"", ü";
CREATE TABLE public.identity_unique (id integer, v integer NOT NULL UNIQUE);
ALTER TABLE public.identity_unique REPLICA IDENTITY USING INDEX identity_unique_v_key;
CREATE TABLE public.identity_parts (id integer NOT NULL, v text) PARTITION BY RANGE (id);
CREATE TABLE public.identity_parts_1 PARTITION OF public.identity_parts FOR VALUES FROM (0) TO (10);
CREATE UNIQUE INDEX identity_parts_id ON public.identity_parts (id);
ALTER TABLE public.identity_parts REPLICA IDENTITY USING INDEX identity_parts_id;
ALTER TABLE public.identity_parts_1 REPLICA IDENTITY FULL;

CREATE TABLE public.clustered (id integer PRIMARY KEY, v text);
CREATE INDEX "Cluster ""here"", ü" ON public.clustered (v);
ALTER TABLE public.clustered CLUSTER ON "Cluster ""here"", ü";
CREATE TABLE "Odd schema".clustered_by_key (id integer PRIMARY KEY);
ALTER TABLE "Odd schema".clustered_by_key CLUSTER ON clustered_by_key_pkey;
CREATE MATERIALIZED VIEW public.clustered_view AS SELECT id FROM public.clustered;
CREATE INDEX clustered_view_id ON public.clustered_view (id);
ALTER MATERIALIZED VIEW public.clustered_view CLUSTER ON clustered_view_id;
CREATE TABLE public.both_of_it (id integer NOT NULL);
CREATE UNIQUE INDEX both_index ON public.both_of_it (id);
ALTER TABLE public.both_of_it CLUSTER ON both_index, REPLICA IDENTITY USING INDEX both_index;

CREATE TYPE "Odd schema"."Row ""type"", ü" AS ("Id" integer, name text, c text COLLATE "C");
CREATE TABLE public.typed OF "Odd schema"."Row ""type"", ü";
CREATE TABLE public.typed_options OF "Odd schema"."Row ""type"", ü" (
    "Id" WITH OPTIONS PRIMARY KEY, name WITH OPTIONS DEFAULT 'it''s' NOT NULL, CONSTRAINT named CHECK (length(name) > 2), UNIQUE (name)) WITH (fillfactor = 50);
CREATE TABLE public.typed_parts OF "Odd schema"."Row ""type"", ü" PARTITION BY LIST ("Id");
CREATE TABLE public.typed_parts_1 PARTITION OF public.typed_parts FOR VALUES IN (1);
CREATE UNLOGGED TABLE public.typed_unlogged OF "Odd schema"."Row ""type"", ü";
INSERT INTO public.typed VALUES (1, 'a', 'b');

CREATE UNLOGGED TABLE public.unlogged (id integer PRIMARY KEY, v text);
CREATE UNLOGGED TABLE public.unlogged_serial (id serial, v text);
INSERT INTO public.unlogged VALUES (1, 'kept');
INSERT INTO public.unlogged_serial (v) VALUES ('a');
CREATE TABLE public.was_logged (id integer);
ALTER TABLE public.was_logged SET UNLOGGED;
CREATE TABLE public.no_columns ();
INSERT INTO public.no_columns DEFAULT VALUES;
CREATE TABLE public.all_dropped (a integer, b text);
INSERT INTO public.all_dropped VALUES (1, 'x');
ALTER TABLE public.all_dropped DROP COLUMN a, DROP COLUMN b;
CREATE INDEX with_parameters ON public.clustered (id) WITH (fillfactor = 60, deduplicate_items = off);
CREATE INDEX gin_parameters ON public.clustered USING gin (to_tsvector('simple', v)) WITH (fastupdate = off, gin_pending_list_limit = 128);
CREATE INDEX brin_parameters ON public.clustered USING brin (id) WITH (pages_per_range = 4, autosummarize = on);
ALTER TABLE public.parameters OWNER TO fidelity_tables;
COMMENT ON INDEX public.with_parameters IS 'an index';
COMMENT ON TABLE public.typed IS 'typed';
COMMENT ON COLUMN public.typed."Id" IS 'its column';
