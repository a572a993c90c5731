-- Rows of types that extensions bring; the extensions stand in schemas of their own too.
CREATE SCHEMA "Ext schema";
CREATE EXTENSION hstore SCHEMA "Ext schema";
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE EXTENSION cube;
CREATE EXTENSION isn;
CREATE EXTENSION intarray;
CREATE EXTENSION seg;
CREATE EXTENSION pg_trgm SCHEMA "Ext schema";
CREATE EXTENSION btree_gist;
CREATE EXTENSION lo;
CREATE TABLE public.extended (
    id int PRIMARY KEY, h "Ext schema".hstore, hs "Ext schema".hstore[], c citext, l ltree, q lquery, lt ltxtquery, cu cube, i isbn13, e ean13, s seg, a int[], lo lo);
INSERT INTO public.extended VALUES
    (1, '"a b"=>"c\"d", "NULL"=>NULL, ""=>"", "\\."=>"\n"', ARRAY['a=>1', '', NULL]::"Ext schema".hstore[], 'MiXeD', 'Top.Science.a_b', '*.a|b{1,2}.!c@', 'a & !b@*',
        '(1,2,3),(4,5,-6)', '978-0-393-04002-9', '4719512002889', '1.5 .. 2.50', '{3,1,2}', NULL),
    (2, '', '{}', '', '', '*', 'a', '(0)', NULL, NULL, '~5.0', '{}', NULL),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE UNIQUE INDEX ON public.extended (c);
CREATE INDEX ON public.extended USING gist (h "Ext schema".gist_hstore_ops);
CREATE INDEX ON public.extended USING gin (a gin__int_ops);
CREATE INDEX ON public.extended USING gist (l);
CREATE INDEX ON public.extended USING gin ((c::text) "Ext schema".gin_trgm_ops);
CREATE TABLE public.bookings (room int, during daterange, EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO public.bookings VALUES (1, '[2000-01-01,2000-02-01)'), (1, '[2000-02-01,)'), (2, '(,)');
CREATE TABLE public.extended_defaults (h "Ext schema".hstore DEFAULT 'a=>"b c"', c citext DEFAULT 'X' CHECK (c = 'x'), l ltree DEFAULT 'a.b');
INSERT INTO public.extended_defaults DEFAULT VALUES;
