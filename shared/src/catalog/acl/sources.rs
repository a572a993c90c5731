//! One query for each catalog that has grants.
//!
//! All give the same columns: `oid`, `attnum` (0 for the object), `schema`, `name`, `arguments` (of a routine), `column_name`, `relkind` (of a
//! relation; `prokind` of a routine), `owner`, `acl` (NULL = never changed), `base` (what a new object has) and `initial` (what initdb or CREATE
//! EXTENSION left, where that differs).

use crate::catalog::class::{
    PG_CLASS, PG_FOREIGN_DATA_WRAPPER, PG_FOREIGN_SERVER, PG_LANGUAGE, PG_LARGEOBJECT, PG_NAMESPACE, PG_PROC,
    PG_TYPE,
};

/// Catalog, what is read (for errors), query.
pub(super) const SOURCES: &[(u32, &str, &str)] = &[
    (PG_NAMESPACE, "grants on schemas", SCHEMAS),
    (PG_TYPE, "grants on types", TYPES),
    (PG_PROC, "grants on functions", ROUTINES),
    (PG_CLASS, "grants on relations", RELATIONS),
    (PG_CLASS, "grants on columns", COLUMNS),
    (PG_LARGEOBJECT, "grants on large objects", LARGE_OBJECTS),
    (PG_LANGUAGE, "grants on languages", LANGUAGES),
    (PG_FOREIGN_DATA_WRAPPER, "grants on foreign-data wrappers", FOREIGN_DATA_WRAPPERS),
    (PG_FOREIGN_SERVER, "grants on foreign servers", FOREIGN_SERVERS),
];

/// `public` is listed even when its grants were never changed: its base is not what `acldefault` says.
const SCHEMAS: &str = "
SELECT n.oid, 0 AS attnum, NULL::text AS schema, n.nspname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(n.nspowner)::text AS owner, n.nspacl::text[] AS acl,
       acldefault('n', n.nspowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_namespace n
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_namespace'::regclass AND i.objoid = n.oid AND i.objsubid = 0
WHERE n.nspname = 'public' OR (n.nspacl IS DISTINCT FROM i.initprivs AND n.nspname !~ '^pg_(toast|temp)')";

const TYPES: &str = "
SELECT t.oid, 0 AS attnum, n.nspname::text AS schema, t.typname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(t.typowner)::text AS owner, t.typacl::text[] AS acl,
       acldefault('T', t.typowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_type'::regclass AND i.objoid = t.oid AND i.objsubid = 0
WHERE t.typacl IS DISTINCT FROM i.initprivs";

const ROUTINES: &str = "
SELECT p.oid, 0 AS attnum, n.nspname::text AS schema, p.proname::text AS name,
       CASE WHEN p.prokind <> 'a' THEN pg_get_function_identity_arguments(p.oid)
            ELSE array_to_string(ARRAY(
                SELECT format_type(u.t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u(t, n) ORDER BY u.n), ', ')
       END AS arguments,
       NULL::text AS column_name, p.prokind::text AS relkind, pg_get_userbyid(p.proowner)::text AS owner, p.proacl::text[] AS acl,
       acldefault('f', p.proowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid AND i.objsubid = 0
WHERE p.proacl IS DISTINCT FROM i.initprivs";

const RELATIONS: &str = "
SELECT c.oid, 0 AS attnum, n.nspname::text AS schema, c.relname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       c.relkind::text AS relkind, pg_get_userbyid(c.relowner)::text AS owner, c.relacl::text[] AS acl,
       acldefault(CASE WHEN c.relkind = 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END, c.relowner)::text[] AS base,
       i.initprivs::text[] AS initial
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = 0
WHERE c.relacl IS DISTINCT FROM i.initprivs";

const COLUMNS: &str = "
SELECT c.oid, a.attnum::int4 AS attnum, n.nspname::text AS schema, c.relname::text AS name, NULL::text AS arguments,
       a.attname::text AS column_name, c.relkind::text AS relkind, pg_get_userbyid(c.relowner)::text AS owner, a.attacl::text[] AS acl,
       acldefault('c', c.relowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = a.attnum
WHERE NOT a.attisdropped AND a.attacl IS DISTINCT FROM i.initprivs";

const LARGE_OBJECTS: &str = "
SELECT oid, 0 AS attnum, NULL::text AS schema, oid::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(lomowner)::text AS owner, lomacl::text[] AS acl,
       acldefault('L', lomowner)::text[] AS base, NULL::text[] AS initial
FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL";

/// plpgsql, the usual one, is in every database.
const LANGUAGES: &str = "
SELECT o.oid, 0 AS attnum, NULL::text AS schema, o.lanname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(o.lanowner)::text AS owner, o.lanacl::text[] AS acl,
       acldefault('l', o.lanowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_language o
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_language'::regclass AND i.objoid = o.oid AND i.objsubid = 0
WHERE o.lanacl IS DISTINCT FROM i.initprivs";

const FOREIGN_DATA_WRAPPERS: &str = "
SELECT o.oid, 0 AS attnum, NULL::text AS schema, o.fdwname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(o.fdwowner)::text AS owner, o.fdwacl::text[] AS acl,
       acldefault('F', o.fdwowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_foreign_data_wrapper o
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_foreign_data_wrapper'::regclass AND i.objoid = o.oid AND i.objsubid = 0
WHERE o.fdwacl IS DISTINCT FROM i.initprivs";

const FOREIGN_SERVERS: &str = "
SELECT o.oid, 0 AS attnum, NULL::text AS schema, o.srvname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(o.srvowner)::text AS owner, o.srvacl::text[] AS acl,
       acldefault('S', o.srvowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_foreign_server o
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_foreign_server'::regclass AND i.objoid = o.oid AND i.objsubid = 0
WHERE o.srvacl IS DISTINCT FROM i.initprivs";
