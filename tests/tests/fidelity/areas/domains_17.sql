-- since 17
-- NOT NULL constraints of domains, which have names since PostgreSQL 17.
CREATE DOMAIN public.usual AS int NOT NULL;
CREATE DOMAIN public.named AS int CONSTRAINT must_have NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN public."Odd ""d""" AS text CONSTRAINT "Not ""null""" NOT NULL DEFAULT 'x';
CREATE DOMAIN public.later AS int DEFAULT 3;
ALTER DOMAIN public.later ADD CONSTRAINT added NOT NULL;
CREATE DOMAIN public."123456789_123456789_123456789_123456789_123456789_123456789_123" AS int NOT NULL;
COMMENT ON CONSTRAINT must_have ON DOMAIN public.named IS 'it must';
CREATE TABLE public.t (u public.usual, n public.named);
INSERT INTO public.t VALUES (1, 2);
