-- Rows of documents and searches: xml, json, jsonpath, text search.
CREATE TABLE public.documents (id int PRIMARY KEY, x xml, j json, b jsonb, p jsonpath, v tsvector, q tsquery);
INSERT INTO public.documents VALUES
    (1, '<a b="c&amp;d">&#x1F418;<![CDATA[ ]] > \. ]]></a>', '{"a" : 1,   "a": 2, "b":"\u00e9\ud83d\udc18\n\\."}', '{"b": [1.10, null, true, "\u00e9\ud83d\udc18\n\\\\."], "a": {"": ""}}',
        '$."a b"[*] ? (@.x > 1.5 && @.y like_regex "^a\\b" flag "i")', 'a:1A,2B ''it''''s'':3 ''back\\slash'' ''é'':16383', '''a'' & !( ''b'':*AB | ''it''''s'' )'),
    (2, '<?xml version="1.0" encoding="UTF-8"?><a/>', ' [ 1e400 , -0 , 1.000 ] ', '[1e400, -0, 1.000, 123456789012345678901234567890.5]', 'strict $', '', ''),
    (3, 'only content <b/>', '"\\."', '"\\."', 'lax $.**{1 to last}.a', E'''\n'' ''\t'':1', '''a'' <-> ''b'' <3> ''c'''),
    (4, '', 'null', 'null', '$[0 to last - 1, 2].size()', 'a b c', '!!a'),
    (5, NULL, NULL, NULL, NULL, NULL, NULL),
    (6, E'<a>\n\\.\n</a>', E'{\n  "a":\t"b"\n}', '{}', '$.a.keyvalue().value', 'x', 'x'),
    (7, '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', '[]', '"\ufffd"', '($.a + 1) / -$.b % 2', 'x', 'x');
INSERT INTO public.documents (id, b) SELECT 100, jsonb_object_agg('k' || i, repeat('v', i)) FROM generate_series(1, 400) i;
INSERT INTO public.documents (id, j) SELECT 101, json_build_object('deep', repeat('[', 300) || repeat(']', 300));
INSERT INTO public.documents (id, b) SELECT 102, (repeat('[', 500) || repeat(']', 500))::jsonb;
CREATE INDEX ON public.documents USING gin (b jsonb_path_ops);
CREATE INDEX ON public.documents USING gin (v);
CREATE TABLE public.document_defaults (
    j jsonb DEFAULT '{"a": "it''s \"\\u0041\""}', p jsonpath DEFAULT '$.a[*] ? (@ > 1)', v tsvector DEFAULT to_tsvector('english', 'running dogs'), x xml DEFAULT '<a/>',
    CHECK (j @? '$.a'), CHECK (x IS DOCUMENT));
INSERT INTO public.document_defaults DEFAULT VALUES;
