-- since 18
-- Publications of generated columns.
CREATE TABLE public.a (id integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2) STORED);
CREATE PUBLICATION stored FOR ALL TABLES WITH (publish_generated_columns = stored);
CREATE PUBLICATION none FOR TABLE public.a WITH (publish_generated_columns = none);
CREATE PUBLICATION listed FOR TABLE public.a (id, twice);
CREATE PUBLICATION rooted FOR TABLE public.a WITH (publish_via_partition_root, publish_generated_columns = stored);
