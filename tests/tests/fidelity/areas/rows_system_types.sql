-- Rows of the types that name what is in the catalogs, and of those that servers use themselves.
CREATE SCHEMA "Odd schema";
CREATE TABLE "Odd schema"."Odd ""table""" (a int);
CREATE FUNCTION "Odd schema".f(int, VARIADIC text[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION "Odd schema".single() RETURNS int LANGUAGE sql AS 'SELECT 1';
DO $$ BEGIN CREATE ROLE "fidelity Odd role"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE TABLE public.named (
    id int PRIMARY KEY, o oid, c regclass, p regproc, pr regprocedure, op regoper, ops regoperator, t regtype, r regrole, n regnamespace, co regconfig, d regdictionary);
INSERT INTO public.named VALUES
    (1, 4294967295, 'pg_class', 'now', 'lower(text)', 'pg_catalog.||/', '+(int4,int4)', 'double precision', '"fidelity Odd role"', 'pg_catalog', 'english', 'simple'),
    (2, 0, '-', '-', '-', '0', '0', '-', '-', '-', '-', '-'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    ON CONFLICT DO NOTHING;
-- What no pg_dump can restore before it stands: names of objects of this database are kept in columns that are filled after all of them.
CREATE TABLE public.named_here (c regclass, p regprocedure, t regtype, n regnamespace);
INSERT INTO public.named_here VALUES ('"Odd schema"."Odd ""table"""', '"Odd schema".f(int, text[])', '"Odd schema"."Odd ""table"""[]', '"Odd schema"');
CREATE TABLE public.inner_types (id int, t tid, x xid, ci cid, l pg_lsn, s txid_snapshot, s8 pg_snapshot, x8 xid8, ov oidvector, iv int2vector, rc refcursor);
INSERT INTO public.inner_types VALUES
    (1, '(4294967295,65535)', '4294967295', '4294967295', 'FFFFFFFF/FFFFFFFF', '10:20:10,14,15', '9223372036854775806:9223372036854775807:9223372036854775806', '18446744073709551615', '1 2 4294967295', '-1 0 32767', E'\\.'),
    (2, '(0,0)', '0', '0', '0/0', '1:1:', '1:1:', '0', '', '', ''),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE public.named_defaults (
    c regclass DEFAULT '"Odd schema"."Odd ""table"""'::regclass, p regproc DEFAULT '"Odd schema".single'::regproc, t regtype DEFAULT 'int'::regtype, o oid DEFAULT 5,
    l pg_lsn DEFAULT '16/B374D848', s bigint DEFAULT pg_catalog.pg_relation_size('"Odd schema"."Odd ""table"""'::regclass));
INSERT INTO public.named_defaults DEFAULT VALUES;
