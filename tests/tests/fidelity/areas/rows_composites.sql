-- Rows of composite types, enums and domains, nested in each other.
CREATE TYPE public.colour AS ENUM ('red', 'Green', 'it''s, "blue"', '(', ')', ' ', E'\t');
CREATE TYPE public.point_3 AS (x float8, y float8, "Z z" numeric(5,2));
CREATE TYPE public.nested AS (p public.point_3, c public.colour, ps public.point_3[], t text);
CREATE DOMAIN public.positive AS int CHECK (VALUE > 0) NOT NULL;
CREATE DOMAIN public.very_positive AS public.positive DEFAULT 10 CHECK (VALUE > 5);
CREATE DOMAIN public.list AS public.very_positive[];
CREATE DOMAIN public.valid_point AS public.point_3 CHECK ((VALUE).x IS DISTINCT FROM 1.5);
ALTER TYPE public.nested ADD ATTRIBUTE gone int, ADD ATTRIBUTE late text COLLATE "C";
ALTER TYPE public.nested DROP ATTRIBUTE gone;
CREATE TABLE public.composites (id int PRIMARY KEY, n public.nested, c public.colour, v public.very_positive, l public.list, vp public.valid_point, r public.point_3[]);
INSERT INTO public.composites VALUES
    (1, ROW(ROW(1, 'NaN', 1.5), 'it''s, "blue"', ARRAY[ROW(1, 2, 3), NULL, ROW(NULL, NULL, NULL)]::public.point_3[], E'a,"b"\\(c)\n', ''), 'red', 6, '{7,8}', ROW(1, 2, 3), '{}'),
    (2, ROW(NULL, NULL, NULL, NULL, NULL), '(', 2147483647, '{}', ROW(NULL, NULL, NULL), ARRAY[ROW(-0, 'Infinity', 'NaN')]::public.point_3[]),
    (3, NULL, NULL, 6, NULL, NULL, NULL),
    (4, ROW(NULL, ' ', '{}', '', ' '), E'\t', 7, '[5:6]={7,8}', NULL, NULL);
CREATE TABLE public.of_rows (whole public.composites, all_of public.composites[]);
INSERT INTO public.of_rows SELECT each, ARRAY[each, NULL] FROM public.composites each;
ALTER TYPE public.colour ADD VALUE 'late' BEFORE 'Green';
CREATE TABLE public.typed OF public.point_3 (x WITH OPTIONS PRIMARY KEY DEFAULT 3, CHECK (y < 100));
INSERT INTO public.typed VALUES (1, 2, 3), (DEFAULT, 5, NULL);
