-- Names that need quotes, everywhere.
DO $$ BEGIN CREATE ROLE fidelity_b; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "fidelity_Odd ""Role"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Sch""e ma
two";
CREATE TABLE "Sch""e ma
two"."select" ("from" int PRIMARY KEY, "Te""xt
line" text DEFAULT 'a''b\c
d' CHECK ("Te""xt
line" <> '$$'), "a.b" serial, "user" int GENERATED ALWAYS AS IDENTITY, é text UNIQUE);
CREATE TABLE "Sch""e ma
two"."x -- y; DROP TABLE z; /*" (a int REFERENCES "Sch""e ma
two"."select", "__________________________________________________________63bytes" int);
CREATE INDEX "In dex" ON "Sch""e ma
two"."select" ("Te""xt
line");
CREATE VIEW "Sch""e ma
two"."Vi""ew" AS SELECT "from", "Te""xt
line" FROM "Sch""e ma
two"."select";
CREATE TYPE "Sch""e ma
two"."Ty""pe" AS ENUM ('it''s', 'a
b');
CREATE FUNCTION "Sch""e ma
two"."f(x)"("Ar g" "Sch""e ma
two"."Ty""pe") RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION "Sch""e ma
two".trg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER "Tr
ig" AFTER INSERT ON "Sch""e ma
two"."select" EXECUTE FUNCTION "Sch""e ma
two".trg();
ALTER TABLE "Sch""e ma
two"."select" OWNER TO "fidelity_Odd ""Role";
GRANT SELECT ("from") ON "Sch""e ma
two"."select" TO fidelity_b;
GRANT ALL ON "Sch""e ma
two"."Vi""ew" TO "fidelity_Odd ""Role";
COMMENT ON COLUMN "Sch""e ma
two"."select"."Te""xt
line" IS 'com
ment; \connect x';
INSERT INTO "Sch""e ma
two"."select" ("from", "Te""xt
line") VALUES (1, E'\\.'), (2, NULL), (3, E'tab\tnew\nline');
CREATE POLICY "Po licy" ON "Sch""e ma
two"."select" USING (true);
