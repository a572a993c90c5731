-- A table of 1,600 columns, the most there can be, and one whose columns were dropped until none but the last are left.
DO $$
DECLARE columns text;
BEGIN
    SELECT string_agg(format('%I %s', 'c' || i || CASE i % 10 WHEN 0 THEN ' ''"\' ELSE '' END, CASE i % 3 WHEN 0 THEN 'int' WHEN 1 THEN 'text' || CASE WHEN i > 1500 THEN ' DEFAULT ''x''' ELSE '' END ELSE 'boolean' END), ', ')
        INTO columns FROM generate_series(1, 1600) i;
    EXECUTE 'CREATE TABLE public.widest (' || columns || ')';
    EXECUTE 'INSERT INTO public.widest DEFAULT VALUES';
    EXECUTE 'INSERT INTO public.widest (c1, c3, c1599) VALUES (''a'', 3, 7)';
    SELECT string_agg(format('n%s int', i), ', ') INTO columns FROM generate_series(1, 500) i;
    EXECUTE 'CREATE TABLE public.thinned (' || columns || ')';
    EXECUTE 'INSERT INTO public.thinned (n1, n499, n500) VALUES (1, 2, 3)';
    SELECT string_agg(format('DROP COLUMN n%s', i), ', ') INTO columns FROM generate_series(1, 498) i;
    EXECUTE 'ALTER TABLE public.thinned ' || columns;
END $$;
