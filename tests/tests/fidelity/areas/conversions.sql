-- Conversions, default and not.
DO $$ BEGIN CREATE ROLE fidelity_conv; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE SCHEMA "Odd ""conv""";
CREATE CONVERSION public.latin1_utf8 FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION public.utf8_latin1 FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE DEFAULT CONVERSION "Odd ""conv"""."Kyrillisch ß" FOR 'WIN1251' TO 'KOI8R' FROM win1251_to_koi8r;
CREATE CONVERSION public."select" FOR 'SJIS' TO 'EUC_JP' FROM sjis_to_euc_jp;
CREATE CONVERSION "Odd ""conv"""."select" FOR 'EUC_JIS_2004' TO 'UTF8' FROM euc_jis_2004_to_utf8;
COMMENT ON CONVERSION public.latin1_utf8 IS E'it''s \\ a conversion\n';
COMMENT ON CONVERSION "Odd ""conv"""."Kyrillisch ß" IS 'odd';
ALTER CONVERSION "Odd ""conv"""."Kyrillisch ß" OWNER TO fidelity_conv;
