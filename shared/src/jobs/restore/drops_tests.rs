//! DROP statements: those of the entry's own object, and no others.

use super::*;

fn entry(desc: &str, tag: &str, drop: &str) -> Entry {
    Entry {
        dump_id: 7,
        desc: desc.into(),
        namespace: Some("public".into()),
        tag: tag.into(),
        drop_stmt: Some(drop.into()),
        ..Entry::default()
    }
}

fn sql(desc: &str, tag: &str, drop: &str) -> Option<String> {
    of(&entry(desc, tag, drop)).unwrap().map(|d| d.sql)
}

#[test]
fn if_exists_stands_where_pg_restore_puts_it() {
    for (desc, tag, drop, expected) in [
        ("TABLE", "t", "DROP TABLE public.t;\n", "DROP TABLE IF EXISTS public.t;"),
        ("TABLE", "a\"b;", "DROP TABLE public.\"a\"\"b;\";\n", "DROP TABLE IF EXISTS public.\"a\"\"b;\";"),
        ("FOREIGN TABLE", "t", "DROP FOREIGN TABLE public.t;\n", "DROP FOREIGN TABLE IF EXISTS public.t;"),
        ("SCHEMA", "S", "DROP SCHEMA \"S\";\n", "DROP SCHEMA IF EXISTS \"S\";"),
        ("TYPE", "b", "DROP TYPE public.b CASCADE;\n", "DROP TYPE IF EXISTS public.b CASCADE;"),
        (
            "CONSTRAINT",
            "t t_pkey",
            "ALTER TABLE ONLY public.t DROP CONSTRAINT t_pkey;\n",
            "ALTER TABLE IF EXISTS ONLY public.t DROP CONSTRAINT IF EXISTS t_pkey;",
        ),
        (
            "CHECK CONSTRAINT",
            "d c",
            "ALTER DOMAIN public.d DROP CONSTRAINT c;\n",
            "ALTER DOMAIN public.d DROP CONSTRAINT IF EXISTS c;",
        ),
        (
            "CHECK CONSTRAINT",
            "f c",
            "ALTER FOREIGN TABLE public.f DROP CONSTRAINT c;\n",
            "ALTER FOREIGN TABLE IF EXISTS public.f DROP CONSTRAINT IF EXISTS c;",
        ),
        (
            "DEFAULT",
            "t id",
            "ALTER TABLE public.t ALTER COLUMN id DROP DEFAULT;\n",
            "ALTER TABLE IF EXISTS public.t ALTER COLUMN id DROP DEFAULT;",
        ),
        ("TRIGGER", "t tr", "DROP TRIGGER tr ON public.t;\n", "DROP TRIGGER IF EXISTS tr ON public.t;"),
        (
            "FUNCTION",
            "f(integer, text)",
            "DROP FUNCTION public.f(integer, text);\n",
            "DROP FUNCTION IF EXISTS public.f(integer, text);",
        ),
        (
            "AGGREGATE",
            "a(numeric(1,2))",
            "DROP AGGREGATE public.a(numeric(1,2));\n",
            "DROP AGGREGATE IF EXISTS public.a(numeric(1,2));",
        ),
        (
            "OPERATOR",
            "<->",
            "DROP OPERATOR public.<-> (integer, NONE);\n",
            "DROP OPERATOR IF EXISTS public.<-> (integer, NONE);",
        ),
        (
            "OPERATOR CLASS",
            "o",
            "DROP OPERATOR CLASS public.o USING btree;\n",
            "DROP OPERATOR CLASS IF EXISTS public.o USING btree;",
        ),
        (
            "CAST",
            "CAST (public.a AS text)",
            "DROP CAST (public.a AS text);\n",
            "DROP CAST IF EXISTS (public.a AS text);",
        ),
        (
            "TRANSFORM",
            "TRANSFORM FOR public.a LANGUAGE plpgsql",
            "DROP TRANSFORM FOR public.a LANGUAGE plpgsql;\n",
            "DROP TRANSFORM IF EXISTS FOR public.a LANGUAGE plpgsql;",
        ),
        (
            "USER MAPPING",
            "USER MAPPING u SERVER s",
            "DROP USER MAPPING FOR u SERVER s;\n",
            "DROP USER MAPPING IF EXISTS FOR u SERVER s;",
        ),
        (
            "RULE",
            "v _RETURN",
            "CREATE OR REPLACE VIEW public.v AS\nSELECT\n    NULL::numeric(10,2) AS a,\n    NULL::text COLLATE pg_catalog.\"C\" AS \"b\";\n",
            "CREATE OR REPLACE VIEW public.v AS\nSELECT\n    NULL::numeric(10,2) AS a,\n    NULL::text COLLATE pg_catalog.\"C\" AS \"b\";",
        ),
    ] {
        assert_eq!(sql(desc, tag, drop).as_deref(), Some(expected), "{desc}");
    }
    let found = of(&entry("CONSTRAINT", "t k", "ALTER TABLE ONLY public.t DROP CONSTRAINT k;\n"));
    let found = found.unwrap().unwrap();
    assert_eq!(found.strict, "ALTER TABLE ONLY public.t DROP CONSTRAINT k;");
    assert_eq!(found.relation, Some(("public".into(), "k".into())));
    let base = of(&entry("TYPE", "b", "DROP TYPE public.b CASCADE;\n")).unwrap().unwrap();
    assert_eq!((base.of_type, base.cascades), (Some(("public".into(), "b".into())), true));
}

#[test]
fn nothing_drops_what_has_no_statement_of_its_own() {
    assert_eq!(sql("ACL", "TABLE t", ""), None);
    assert_eq!(sql("SCHEMA", "public", "-- *not* dropping schema, since initdb creates it\n\n"), None);
    assert_eq!(sql("DATABASE", "d", "DROP DATABASE d;\n"), None);
    let mut objects = entry("BLOB METADATA", "16..17", "SELECT pg_catalog.lo_unlink('16');\n");
    objects.defn = Some("16\n17\n".into());
    let sql = of(&objects).unwrap().unwrap().sql;
    assert!(sql.contains("'{16,17}'") && !sql.contains("unlink('"), "{sql}");
}

#[test]
fn another_objects_drop_is_refused() {
    for (desc, tag, drop) in [
        ("TABLE", "t", "DROP TABLE public.u;\n"),
        ("TABLE", "t", "DROP TABLE other.t;\n"),
        ("TABLE", "t", "DROP TABLE public.t CASCADE;\n"),
        ("TABLE", "t", "DROP TABLE public.t, public.u;\n"),
        ("TABLE", "t", "DROP TABLE public.t; DROP TABLE public.u;\n"),
        ("TABLE", "t", "DROP TABLE public.t; --\n"),
        ("TABLE", "t", "DROP TABLE public.t --;"),
        ("TABLE", "t", "DROP SCHEMA public;\n"),
        ("TABLE", "t", "DROP TABLE public.t"),
        ("SCHEMA", "s", "DROP SCHEMA s CASCADE;\n"),
        ("INDEX", "i", "SELECT public.f();\n"),
        ("FUNCTION", "f(integer)", "DROP FUNCTION public.g(integer);\n"),
        ("FUNCTION", "f(integer)", "DROP FUNCTION public.f(integer), public.g(integer);\n"),
        ("FUNCTION", "f(integer)", "DROP FUNCTION public.f(integer) CASCADE;\n"),
        ("OPERATOR", "+", "DROP OPERATOR public.- (integer, integer);\n"),
        ("CONSTRAINT", "t k", "ALTER TABLE ONLY public.u DROP CONSTRAINT k;\n"),
        ("CONSTRAINT", "t k", "ALTER TABLE ONLY public.t DROP CONSTRAINT k CASCADE;\n"),
        ("CONSTRAINT", "t k", "ALTER TABLE ONLY public.t DROP CONSTRAINT k, DROP COLUMN a;\n"),
        ("DEFAULT", "t a", "ALTER TABLE ONLY public.t ALTER COLUMN a DROP NOT NULL;\n"),
        ("DEFAULT", "t a", "ALTER TABLE ONLY public.t DROP COLUMN a;\n"),
        ("TRIGGER", "t tr", "DROP TRIGGER tr ON public.u;\n"),
        ("RULE", "v _RETURN", "CREATE OR REPLACE VIEW public.v AS SELECT public.f() AS a;\n"),
        ("RULE", "v _RETURN", "CREATE OR REPLACE VIEW public.v AS SELECT NULL::int AS a FROM public.t;\n"),
        (
            "RULE",
            "v _RETURN",
            "CREATE OR REPLACE VIEW public.v AS SELECT NULL::numeric((SELECT f())) AS a, NULL::int AS b;\n",
        ),
        (
            "RULE",
            "v _RETURN",
            "CREATE OR REPLACE VIEW public.v AS SELECT NULL::int AS a FROM public.f() AS b;\n",
        ),
        ("RULE", "w _RETURN", "CREATE OR REPLACE VIEW public.v AS SELECT NULL::int AS a;\n"),
        ("CAST", "c", "DROP CAST (a AS b) CASCADE;\n"),
        ("USER MAPPING", "m", "DROP SERVER s CASCADE;\n"),
        ("SEQUENCE SET", "s", "DROP TABLE public.t;\n"),
        ("ACL", "t", "DROP TABLE public.t;\n"),
    ] {
        let e = of(&entry(desc, tag, drop)).unwrap_err();
        assert_eq!(e.kind(), Kind::Corrupt, "{desc} {drop}");
    }
}
