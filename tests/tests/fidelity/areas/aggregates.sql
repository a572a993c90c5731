-- Aggregates in all their parts.
DO $$ BEGIN CREATE ROLE fidelity_agg; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE FUNCTION public.longer(text, text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN length($1) >= length($2) THEN $1 ELSE $2 END $$;
CREATE AGGREGATE public.longest(text) (SFUNC = public.longer, STYPE = text, INITCOND = '', PARALLEL = SAFE);
COMMENT ON AGGREGATE public.longest(text) IS 'the longest';

-- Initial values with quotes, backslashes and newlines.
CREATE AGGREGATE public."Längste" (text) (SFUNC = public.longer, STYPE = text, INITCOND = E'it''s \\ a\nline');
COMMENT ON AGGREGATE public."Längste" (text) IS E'a ''quoted''\ncomment';

-- Combining, serialising, space, what the final function may do.
CREATE AGGREGATE public.running(float8) (
    SFUNC = float8_accum, STYPE = float8[], FINALFUNC = float8_avg, COMBINEFUNC = float8_combine, INITCOND = '{0,0,0}',
    PARALLEL = RESTRICTED, FINALFUNC_MODIFY = SHAREABLE, SSPACE = 64);
CREATE AGGREGATE public.running_rw(float8) (
    SFUNC = float8_accum, STYPE = float8[], FINALFUNC = float8_avg, INITCOND = '{0,0,0}', FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE public.running_ro(float8) (
    SFUNC = float8_accum, STYPE = float8[], FINALFUNC = float8_avg, INITCOND = '{0,0,0}', FINALFUNC_MODIFY = READ_ONLY);
CREATE AGGREGATE public.average(numeric) (
    SFUNC = numeric_avg_accum, STYPE = internal, SSPACE = 128, FINALFUNC = numeric_avg, COMBINEFUNC = numeric_avg_combine,
    SERIALFUNC = numeric_avg_serialize, DESERIALFUNC = numeric_avg_deserialize, PARALLEL = SAFE);

-- Moving aggregates.
CREATE AGGREGATE public.moving_sum(int4) (
    SFUNC = int4_avg_accum, STYPE = int8[], FINALFUNC = int2int4_sum, INITCOND = '{0,0}',
    MSFUNC = int4_avg_accum, MINVFUNC = int4_avg_accum_inv, MSTYPE = int8[], MSSPACE = 48, MFINALFUNC = int2int4_sum,
    MINITCOND = '{0,0}', MFINALFUNC_MODIFY = SHAREABLE);
CREATE FUNCTION public.keep(anyarray, anyelement) RETURNS anyarray LANGUAGE sql IMMUTABLE AS $$ SELECT array_append($1, $2) $$;
CREATE FUNCTION public.unkeep(anyarray, anyelement) RETURNS anyarray LANGUAGE sql IMMUTABLE AS $$ SELECT $1[2:] $$;
CREATE FUNCTION public.kept(anyarray, anyelement) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT array_to_string($1, ',') $$;
CREATE AGGREGATE public.collected(anyelement) (
    SFUNC = public.keep, STYPE = anyarray, FINALFUNC = public.kept, FINALFUNC_EXTRA, INITCOND = '{}',
    MSFUNC = public.keep, MINVFUNC = public.unkeep, MSTYPE = anyarray, MFINALFUNC = public.kept, MFINALFUNC_EXTRA,
    MFINALFUNC_MODIFY = READ_WRITE, MINITCOND = '{}');

-- Ordered-set and hypothetical-set aggregates.
CREATE AGGREGATE public.my_percentile(float8 ORDER BY anyelement) (
    SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE public.my_percentile_s(p float8 ORDER BY x anyelement) (
    SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA,
    FINALFUNC_MODIFY = SHAREABLE);
CREATE AGGREGATE public.my_percentile_ro(float8 ORDER BY anyelement) (
    SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA,
    FINALFUNC_MODIFY = READ_ONLY);
CREATE AGGREGATE public.my_rank(VARIADIC "any" ORDER BY VARIADIC "any") (
    SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE AGGREGATE public.my_mode(ORDER BY anyelement) (
    SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = mode_final, FINALFUNC_EXTRA, PARALLEL = SAFE);
COMMENT ON AGGREGATE public.my_rank(VARIADIC "any" ORDER BY VARIADIC "any") IS 'hypothetical';
COMMENT ON AGGREGATE public.my_percentile_s(p float8 ORDER BY x anyelement) IS 'named';
COMMENT ON AGGREGATE public.my_mode(ORDER BY anyelement) IS 'no direct argument';

-- No arguments, variadic, argument names, overloads (sorted by number of arguments, then type names), the syntax before 8.2.
CREATE FUNCTION public.one_more(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE AGGREGATE public.how_many(*) (SFUNC = public.one_more, STYPE = bigint, INITCOND = '0');
COMMENT ON AGGREGATE public.how_many(*) IS 'counts';
CREATE FUNCTION public.all_of(bigint, VARIADIC int[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + cardinality($2)';
CREATE AGGREGATE public.how_many(VARIADIC "list of" int[]) (SFUNC = public.all_of, STYPE = bigint, INITCOND = '0');
CREATE FUNCTION public.one_more(bigint, "left" bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE FUNCTION public.one_more(bigint, integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE FUNCTION public.one_more(bigint, text) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + length($2)';
CREATE AGGREGATE public.how_many("left" bigint) (SFUNC = public.one_more, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE public.how_many(integer) (SFUNC = public.one_more, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE public.how_many(BASETYPE = text, SFUNC = public.one_more, STYPE = bigint, INITCOND = '0');

-- Sort operators, built-in and own; parts in other schemas under odd names.
CREATE SCHEMA "Odd ""schema""";
CREATE TYPE "Odd ""schema""".mood AS ENUM ('sad', 'ok', 'happy');
CREATE FUNCTION "Odd ""schema"""."sm,aller"("Odd ""schema""".mood, "Odd ""schema""".mood)
    RETURNS "Odd ""schema""".mood LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT CASE WHEN $1 <= $2 THEN $1 ELSE $2 END $$;
CREATE AGGREGATE public.smallest("Odd ""schema""".mood) (
    SFUNC = "Odd ""schema"""."sm,aller", STYPE = "Odd ""schema""".mood, COMBINEFUNC = "Odd ""schema"""."sm,aller");
CREATE AGGREGATE public.first_text(text) (SFUNC = text_smaller, STYPE = text, SORTOP = <);
CREATE FUNCTION public.mood_below("Odd ""schema""".mood, "Odd ""schema""".mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
CREATE OPERATOR "Odd ""schema""".<# (FUNCTION = public.mood_below, LEFTARG = "Odd ""schema""".mood, RIGHTARG = "Odd ""schema""".mood);
CREATE AGGREGATE "Odd ""schema"""."select"("Odd ""schema""".mood) (
    SFUNC = "Odd ""schema"""."sm,aller", STYPE = "Odd ""schema""".mood, SORTOP = OPERATOR("Odd ""schema""".<#));

-- Owner and grants: GRANT writes an aggregate as a function of its arguments' types.
ALTER AGGREGATE public.how_many(*) OWNER TO fidelity_agg;
REVOKE ALL ON FUNCTION public.how_many() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.my_percentile(float8, anyelement) TO fidelity_agg WITH GRANT OPTION;
REVOKE ALL ON FUNCTION public.my_rank("any") FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "Odd ""schema"""."select"("Odd ""schema""".mood) TO fidelity_agg;

-- Members of an extension.
CREATE EXTENSION intagg;
