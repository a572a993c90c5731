-- Operators with every option; commutators and negators in any order, in other schemas, and some that were never made.
DO $$ BEGIN CREATE ROLE fidelity_op; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""ops""";
CREATE SCHEMA aaa;
CREATE TYPE public.money2 AS (amount numeric, "curr ency" text);
CREATE DOMAIN public.posint AS int CHECK (VALUE > 0);
CREATE TYPE public."Mood ""x""" AS ENUM ('sad', 'happy');

-- Equality and inequality with all options, functions of odd names in other schemas.
CREATE FUNCTION "Odd ""ops"""."eq (x"(public.money2, public.money2) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.amount = $2.amount';
CREATE FUNCTION "Odd ""ops"""."select"(public.money2, public.money2) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.amount <> $2.amount';
CREATE OPERATOR public.== (FUNCTION = "Odd ""ops"""."eq (x", LEFTARG = public.money2, RIGHTARG = public.money2,
    COMMUTATOR = OPERATOR(public.==), NEGATOR = OPERATOR("Odd ""ops""".!==), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR "Odd ""ops""".!== (FUNCTION = "Odd ""ops"""."select", LEFTARG = public.money2, RIGHTARG = public.money2,
    COMMUTATOR = OPERATOR("Odd ""ops""".!==), NEGATOR = OPERATOR(public.==), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR public.== (public.money2, public.money2) IS E'it''s \\ equal\nor so';
COMMENT ON OPERATOR "Odd ""ops""".!== (public.money2, public.money2) IS 'unequal';

-- Estimators of one's own.
CREATE FUNCTION "Odd ""ops"""."My sel"(internal, oid, internal, integer) RETURNS float8 LANGUAGE internal STABLE STRICT AS 'eqsel';
CREATE FUNCTION "Odd ""ops"""."My join"(internal, oid, internal, smallint, internal) RETURNS float8 LANGUAGE internal STABLE STRICT AS 'eqjoinsel';
CREATE DOMAIN "Odd ""ops"""."Te xt" AS text;
CREATE FUNCTION aaa.same(text, "Odd ""ops"""."Te xt") RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR aaa.@#@ (PROCEDURE = aaa.same, LEFTARG = text, RIGHTARG = "Odd ""ops"""."Te xt", RESTRICT = "Odd ""ops"""."My sel", JOIN = "Odd ""ops"""."My join");

-- Prefix operators, overloads (sorted by kind, then by the operands' schemas and types), system functions that are overloaded.
CREATE FUNCTION public.negate(public.money2) RETURNS public.money2 LANGUAGE sql IMMUTABLE AS 'SELECT ROW(-$1.amount, $1."curr ency")::public.money2';
CREATE OPERATOR public.## (FUNCTION = public.negate, RIGHTARG = public.money2);
COMMENT ON OPERATOR public.## (NONE, public.money2) IS 'prefix';
CREATE OPERATOR public.## (FUNCTION = length, RIGHTARG = text);
CREATE OPERATOR public.## (FUNCTION = length, RIGHTARG = bytea);
CREATE FUNCTION public.plus(public.money2, int) RETURNS public.money2 LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION public.plus(public.money2, bigint) RETURNS public.money2 LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION public.plus(bigint, public.money2) RETURNS public.money2 LANGUAGE sql IMMUTABLE AS 'SELECT $2';
CREATE FUNCTION public.plus(public."Mood ""x""", public.posint) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION public.plus(public.money2[], public."Mood ""x"""[]) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE OPERATOR public.## (FUNCTION = public.plus, LEFTARG = public.money2, RIGHTARG = int, COMMUTATOR = OPERATOR(public.###));
CREATE OPERATOR public.## (FUNCTION = public.plus, LEFTARG = public.money2, RIGHTARG = bigint, COMMUTATOR = ##);
CREATE OPERATOR public.## (FUNCTION = public.plus, LEFTARG = bigint, RIGHTARG = public.money2, COMMUTATOR = ##);
CREATE OPERATOR public.## (FUNCTION = public.plus, LEFTARG = public."Mood ""x""", RIGHTARG = public.posint);
CREATE OPERATOR public.## (FUNCTION = public.plus, LEFTARG = public.money2[], RIGHTARG = public."Mood ""x"""[]);
COMMENT ON OPERATOR public.## (public."Mood ""x""", public.posint) IS 'odd operands';

-- A commutator and a negator that nobody made, one of them in another schema; a shell that was completed later.
CREATE FUNCTION public.below(public.money2, public.money2) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.amount < $2.amount';
CREATE FUNCTION public.above(public.money2, public.money2) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.amount > $2.amount';
CREATE OPERATOR public.<<< (FUNCTION = public.below, LEFTARG = public.money2, RIGHTARG = public.money2,
    COMMUTATOR = OPERATOR(aaa.>>>), NEGATOR = >>>=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR aaa.>>> (FUNCTION = public.above, LEFTARG = public.money2, RIGHTARG = public.money2,
    COMMUTATOR = OPERATOR(public.<<<), NEGATOR = OPERATOR(aaa.<<<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);

-- Names at the limits of what the lexer takes.
CREATE OPERATOR public.~!@#%^&|`? (FUNCTION = public.below, LEFTARG = public.money2, RIGHTARG = public.money2);
CREATE OPERATOR public.<*> (FUNCTION = public.below, LEFTARG = public.money2, RIGHTARG = public.money2);
CREATE OPERATOR public.@- (FUNCTION = public.below, LEFTARG = public.money2, RIGHTARG = public.money2);
CREATE OPERATOR public.*************************************************************** (FUNCTION = public.below, LEFTARG = public.money2, RIGHTARG = public.money2);

-- Operators named as those of the system, owners, what uses operators.
CREATE OPERATOR public.+ (FUNCTION = public.plus, LEFTARG = public.money2, RIGHTARG = int);
CREATE OPERATOR public.= (FUNCTION = "Odd ""ops"""."eq (x", LEFTARG = public.money2, RIGHTARG = public.money2);
ALTER OPERATOR public.+ (public.money2, int) OWNER TO fidelity_op;
ALTER OPERATOR public.## (NONE, public.money2) OWNER TO fidelity_op;
ALTER OPERATOR "Odd ""ops""".!== (public.money2, public.money2) OWNER TO fidelity_op;
CREATE VIEW public.v AS SELECT OPERATOR(public.##) ROW(1, 'x')::public.money2 AS a, ROW(1, 'x')::public.money2 OPERATOR(public.+) 3 AS b;
CREATE TABLE public.t (m public.money2 CHECK (m OPERATOR(public.==) ROW(1, 'x')::public.money2), x int DEFAULT (OPERATOR(public.##) 'abc'::text));
INSERT INTO public.t VALUES (ROW(1, 'y'));

-- Of an extension, and what uses them.
CREATE EXTENSION pg_trgm;
CREATE FUNCTION public.similar_words(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 OPERATOR(public.%) $2';
CREATE OPERATOR public.%%% (FUNCTION = public.similar_words, LEFTARG = text, RIGHTARG = text, RESTRICT = contsel);
