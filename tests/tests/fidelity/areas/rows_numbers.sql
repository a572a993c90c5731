-- Rows of numbers and truth values at their edges.
CREATE TABLE public.numbers (
    id int PRIMARY KEY, s smallint, i integer, b bigint, n numeric, n_scaled numeric(30,10), r real, d double precision, m money, t boolean);
INSERT INTO public.numbers VALUES
    (1, -32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', '-92233720368547758.08', true),
    (2, 32767, 2147483647, 9223372036854775807, 1e130000, 99999999999999999999.9999999999, 'Infinity', 'Infinity', '92233720368547758.07', false),
    (3, 0, 0, 0, 1e-16000, 0.0000000001, '-Infinity', '-Infinity', 0, NULL),
    (4, NULL, NULL, NULL, NULL, NULL, '-0', '-0', NULL, NULL),
    (5, 1, 1, 1, -0.000, -0.0, 1.17549435e-38, 2.2250738585072014e-308, '0.01', true),
    (6, 1, 1, 1, 1.10, 1.10, 1.4e-45, 4.9e-324, '-0.01', true),
    (7, 1, 1, 1, 123456789012345678901234567890.123456789012345678901234567890, 1, 3.40282347e38, 1.7976931348623157e308, 1234.5, true),
    (8, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 1, true),
    (9, 1, 1, 1, 1::numeric / 3, 1::numeric / 3, 1::real / 3, 1::double precision / 3, 1, true);
CREATE TABLE public.defaults (
    id int GENERATED ALWAYS AS IDENTITY (START WITH -5 INCREMENT BY -3 MINVALUE -100 MAXVALUE 7 CYCLE) PRIMARY KEY,
    r real DEFAULT 'NaN', d float8 DEFAULT '-Infinity', n numeric(5,2) DEFAULT 123.45, b bigint DEFAULT 9223372036854775807, m money DEFAULT 5);
INSERT INTO public.defaults (r) VALUES (1), (2), (DEFAULT);
CREATE TABLE public.check_numbers (d double precision CHECK (d <> 'NaN' AND d > '-Infinity'), n numeric CHECK (n = n));
INSERT INTO public.check_numbers VALUES ('Infinity', 'NaN');
