-- Rows of text that COPY, scripts or programs could take for something else.
CREATE TABLE public.texts (id int PRIMARY KEY, t text, v varchar(20), c char(5), n name, q "char", b bytea);
INSERT INTO public.texts VALUES
    (1, E'\\.', E'\\.', E'\\.', E'\\.', E'\\', E'\\\\.'),
    (2, E'first\n\\.\nlast', E'\n\\.\n', E'\n', E'\n', E'\n', '\x5c2e0a'),
    (3, E'\\N', E'\\N', E'\\N', E'\\N', 'N', '\x00'),
    (4, '', '', '', '', '', ''),
    (5, NULL, NULL, NULL, NULL, NULL, NULL),
    (6, E'\t', E'a\tb', E'\t \t', E'\t', E'\t', '\x09'),
    (7, E'\r\n', E'\r', E'\r', E'\r', E'\r', '\x0d0a'),
    (8, E'\\', E'\\\\', E'\\\\\\', E'\\', E'\\', '\x5c5c'),
    (9, '''; DROP TABLE public.texts; --', '$$', '$a$', '"', '''', '\x27'),
    (10, E'\\! touch /tmp/fidelity', E'\\connect x', E'\\q', E'\\q', 'q', '\x5c21'),
    (11, 'é 漢字 🐘 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ‮right‬ e' || chr(769), '🐘🐘🐘', '漢字', 'größe', 'x', '\xf09f9098'),
    (12, chr(1114111) || chr(65533) || chr(65279) || chr(8232), chr(127), chr(160), chr(133), 'z', '\xffffffff'),
    (13, 'ends in a space ', ' ', ' a', ' ', ' ', '\x20'),
    (14, repeat('x', 100000), 'x', 'x', repeat('n', 63), 'x', decode(repeat('00ff5c', 50000), 'hex')),
    (15, '--', '/*', '*/', ':var', ':', ':"x"'),
    (16, 'NULL', 'null', 'Null', 'NULL', 'N', 'NULL');
INSERT INTO public.texts SELECT 100 + i, chr(i), 'a' || chr(i) || 'b', chr(i), chr(i), chr(i)::"char", set_byte('\x00', 0, i) FROM generate_series(1, 127) i;
INSERT INTO public.texts (id, t, b) SELECT 300 + i, chr(i), set_byte('\x0000', 1, i) FROM generate_series(128, 255) i;
UPDATE public.texts SET q = '\200' WHERE id = 11;
-- One column alone: a line may be nothing but its value.
CREATE TABLE public.one_column (t text);
INSERT INTO public.one_column SELECT t FROM public.texts WHERE length(t) < 1000;
INSERT INTO public.one_column VALUES ('.'), (E'\\.x'), (E'x\\.'), (E'\n'), (E'\n\n'), (E'\\.\n\n\n');
CREATE TABLE public.text_default (
    a text DEFAULT E'\\.\n\t''$$"', b bytea DEFAULT '\x005c', c text DEFAULT 'back\slash' CHECK (c !~ E'\n\\.' AND c <> 'it''s'), d "char" DEFAULT E'\\');
INSERT INTO public.text_default DEFAULT VALUES;
COMMENT ON COLUMN public.text_default.a IS E'a comment\nof lines\n\\.\n\\q $$ ''';
