-- Aggregates in all their parts.
CREATE FUNCTION public.longer(text, text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN length($1) >= length($2) THEN $1 ELSE $2 END $$;
CREATE AGGREGATE public.longest(text) (SFUNC = public.longer, STYPE = text, INITCOND = '', PARALLEL = SAFE);
CREATE AGGREGATE public.running(float8) (
    SFUNC = float8_accum, STYPE = float8[], FINALFUNC = float8_avg, COMBINEFUNC = float8_combine, INITCOND = '{0,0,0}',
    PARALLEL = RESTRICTED, FINALFUNC_MODIFY = SHAREABLE, SSPACE = 64);
COMMENT ON AGGREGATE public.longest(text) IS 'the longest';
