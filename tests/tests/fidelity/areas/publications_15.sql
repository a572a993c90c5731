-- since 15
-- Publications of schemas, with column lists and row filters.
CREATE SCHEMA "Odd schema";
CREATE SCHEMA empty;
CREATE SCHEMA elsewhere;
CREATE TABLE public.a (id integer PRIMARY KEY, name text, gone integer, "Camel ""Case""" text, z integer);
ALTER TABLE public.a DROP COLUMN gone;
CREATE TABLE public.b (id integer PRIMARY KEY, ok boolean, kind text COLLATE "C");
CREATE TABLE "Odd schema"."Tab ""le"", ü" ("Id" integer PRIMARY KEY, "sel ect" text);
CREATE TABLE elsewhere.t (id integer PRIMARY KEY);
CREATE TABLE public.parts (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES FROM (0) TO (10);
CREATE PUBLICATION columns FOR TABLE public.a (id, name);
CREATE PUBLICATION columns_in_order FOR TABLE public.a (z, "Camel ""Case""", id);
CREATE PUBLICATION filter FOR TABLE public.b WHERE (ok);
CREATE PUBLICATION filter_true FOR TABLE public.b WHERE (true);
CREATE PUBLICATION filters FOR TABLE public.a WHERE (id > 3 AND name <> 'it''s' OR z IS NULL), public.b WHERE (kind IN ('a', 'b"c', 'back\slash'))
    WITH (publish = 'insert');
CREATE PUBLICATION column_and_row FOR TABLE public.a (id, "Camel ""Case""") WHERE ("Camel ""Case""" = 'x') WITH (publish = 'insert');
CREATE PUBLICATION root_filter FOR TABLE public.parts (id) WHERE (id < 5) WITH (publish_via_partition_root = true);
CREATE PUBLICATION schemas FOR TABLES IN SCHEMA "Odd schema", empty, public;
CREATE PUBLICATION schema_and_table FOR TABLES IN SCHEMA elsewhere, TABLE public.b, "Odd schema"."Tab ""le"", ü";
CREATE PUBLICATION schema_and_its_table FOR TABLES IN SCHEMA elsewhere, TABLE elsewhere.t;
CREATE PUBLICATION "Odd ""pub"", ü" FOR TABLES IN SCHEMA "Odd schema" WITH (publish = 'truncate');
COMMENT ON PUBLICATION schemas IS 'schemas';
