//! One query for each catalog whose rows can have comments.
//!
//! All give the same columns: `oid`, `attnum` (0 for the object), `description`, `schema`, `name`, `column_name`, `on_name` (the relation or
//! domain the object belongs to), `arguments` (of a routine), `kind`, `owner` (where no entry tells it), `relation` (oid of the relation it
//! belongs to), `ancestors` (what it was inherited from, nearest first) and `index_constraint` (the constraint an index belongs to).

mod without_relation;

use self::without_relation::*;
use crate::catalog::class::{
    PG_AM, PG_CAST, PG_CLASS, PG_COLLATION, PG_CONSTRAINT, PG_CONVERSION, PG_EVENT_TRIGGER, PG_EXTENSION,
    PG_FOREIGN_DATA_WRAPPER, PG_FOREIGN_SERVER, PG_LANGUAGE, PG_LARGEOBJECT, PG_NAMESPACE, PG_OPCLASS,
    PG_OPERATOR, PG_OPFAMILY, PG_POLICY, PG_PROC, PG_PUBLICATION, PG_REWRITE, PG_STATISTIC_EXT,
    PG_SUBSCRIPTION, PG_TRANSFORM, PG_TRIGGER, PG_TS_CONFIG, PG_TS_DICT, PG_TS_PARSER, PG_TS_TEMPLATE,
    PG_TYPE,
};

/// Catalog, what is read (for errors), query.
pub(super) const SOURCES: &[(u32, &str, &str)] = &[
    (PG_NAMESPACE, "comments on schemas", SCHEMAS),
    (PG_EXTENSION, "comments on extensions", EXTENSIONS),
    (PG_TYPE, "comments on types", TYPES),
    (PG_PROC, "comments on functions", ROUTINES),
    (PG_CLASS, "comments on relations", RELATIONS),
    (PG_CONSTRAINT, "comments on constraints", CONSTRAINTS),
    (PG_CONSTRAINT, "comments on constraints of domains", DOMAIN_CONSTRAINTS),
    (PG_TRIGGER, "comments on triggers", TRIGGERS),
    (PG_REWRITE, "comments on rules", RULES),
    (PG_POLICY, "comments on policies", POLICIES),
    (PG_LARGEOBJECT, "comments on large objects", LARGE_OBJECTS),
    (PG_CAST, "comments on casts", CASTS),
    (PG_TRANSFORM, "comments on transforms", TRANSFORMS),
    (PG_LANGUAGE, "comments on languages", LANGUAGES),
    (PG_AM, "comments on access methods", ACCESS_METHODS),
    (PG_OPERATOR, "comments on operators", OPERATORS),
    (PG_OPCLASS, "comments on operator classes", OPERATOR_CLASSES),
    (PG_OPFAMILY, "comments on operator families", OPERATOR_FAMILIES),
    (PG_COLLATION, "comments on collations", COLLATIONS),
    (PG_CONVERSION, "comments on conversions", CONVERSIONS),
    (PG_TS_PARSER, "comments on text search parsers", PARSERS),
    (PG_TS_TEMPLATE, "comments on text search templates", TEMPLATES),
    (PG_TS_DICT, "comments on text search dictionaries", DICTIONARIES),
    (PG_TS_CONFIG, "comments on text search configurations", CONFIGURATIONS),
    (PG_FOREIGN_DATA_WRAPPER, "comments on foreign-data wrappers", FOREIGN_DATA_WRAPPERS),
    (PG_FOREIGN_SERVER, "comments on foreign servers", FOREIGN_SERVERS),
    (PG_EVENT_TRIGGER, "comments on event triggers", EVENT_TRIGGERS),
    (PG_PUBLICATION, "comments on publications", PUBLICATIONS),
    (PG_SUBSCRIPTION, "comments on subscriptions", SUBSCRIPTIONS),
    (PG_STATISTIC_EXT, "comments on extended statistics", STATISTICS),
];

/// `public` is listed without a comment too.
const SCHEMAS: &str = "
SELECT n.oid, 0 AS attnum, d.description, NULL::text AS schema, n.nspname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, pg_get_userbyid(n.nspowner)::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_namespace n
LEFT JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid AND d.objsubid = 0
WHERE d.description IS NOT NULL OR n.nspname = 'public'";

const EXTENSIONS: &str = "
SELECT e.oid, 0 AS attnum, d.description, NULL::text AS schema, e.extname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_extension e ON e.oid = d.objoid
WHERE d.classoid = 'pg_extension'::regclass";

/// Without array types, which are named by the server.
const TYPES: &str = "
SELECT t.oid, 0 AS attnum, d.description, n.nspname::text AS schema, t.typname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, t.typtype::text AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d
JOIN pg_type t ON t.oid = d.objoid
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
WHERE d.classoid = 'pg_type'::regclass AND d.objoid >= 16384 AND e.oid IS NULL";

const ROUTINES: &str = "
SELECT p.oid, 0 AS attnum, d.description, n.nspname::text AS schema, p.proname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, pg_get_function_identity_arguments(p.oid) AS arguments, p.prokind::text AS kind,
       NULL::text AS owner, NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_proc p ON p.oid = d.objoid JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE d.classoid = 'pg_proc'::regclass AND d.objoid >= 16384";

const RELATIONS: &str = "
SELECT c.oid, d.objsubid AS attnum, d.description, n.nspname::text AS schema, c.relname::text AS name,
       a.attname::text AS column_name, NULL::text AS on_name, NULL::text AS arguments, c.relkind::text AS kind,
       NULL::text AS owner, i.indrelid AS relation, NULL::oid[] AS ancestors, k.oid AS index_constraint
FROM pg_description d
JOIN pg_class c ON c.oid = d.objoid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')
WHERE d.classoid = 'pg_class'::regclass AND d.objoid >= 16384";

const CONSTRAINTS: &str = "
SELECT k.oid, 0 AS attnum, d.description, n.nspname::text AS schema, k.conname::text AS name, NULL::text AS column_name,
       c.relname::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, k.conrelid AS relation,
       ARRAY(WITH RECURSIVE up(oid, parent) AS (
                 SELECT p.oid, p.conparentid FROM pg_constraint p WHERE p.oid = k.conparentid
                 UNION ALL
                 SELECT p.oid, p.conparentid FROM up JOIN pg_constraint p ON p.oid = up.parent)
             SELECT oid FROM up) AS ancestors,
       NULL::oid AS index_constraint
FROM pg_description d
JOIN pg_constraint k ON k.oid = d.objoid
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.classoid = 'pg_constraint'::regclass AND d.objoid >= 16384";

const DOMAIN_CONSTRAINTS: &str = "
SELECT k.oid, 0 AS attnum, d.description, n.nspname::text AS schema, k.conname::text AS name, NULL::text AS column_name,
       t.typname::text AS on_name, NULL::text AS arguments, 'd' AS kind, NULL::text AS owner, NULL::oid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d
JOIN pg_constraint k ON k.oid = d.objoid
JOIN pg_type t ON t.oid = k.contypid
JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE d.classoid = 'pg_constraint'::regclass AND d.objoid >= 16384";

const TRIGGERS: &str = "
SELECT g.oid, 0 AS attnum, d.description, n.nspname::text AS schema, g.tgname::text AS name, NULL::text AS column_name,
       c.relname::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, g.tgrelid AS relation,
       ARRAY(WITH RECURSIVE up(oid, parent) AS (
                 SELECT p.oid, p.tgparentid FROM pg_trigger p WHERE p.oid = g.tgparentid
                 UNION ALL
                 SELECT p.oid, p.tgparentid FROM up JOIN pg_trigger p ON p.oid = up.parent)
             SELECT oid FROM up) AS ancestors,
       NULL::oid AS index_constraint
FROM pg_description d
JOIN pg_trigger g ON g.oid = d.objoid
JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.classoid = 'pg_trigger'::regclass AND NOT g.tgisinternal";

const RULES: &str = "
SELECT r.oid, 0 AS attnum, d.description, n.nspname::text AS schema, r.rulename::text AS name, NULL::text AS column_name,
       c.relname::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, r.ev_class AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d
JOIN pg_rewrite r ON r.oid = d.objoid
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.classoid = 'pg_rewrite'::regclass AND d.objoid >= 16384";

const POLICIES: &str = "
SELECT p.oid, 0 AS attnum, d.description, n.nspname::text AS schema, p.polname::text AS name, NULL::text AS column_name,
       c.relname::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, p.polrelid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d
JOIN pg_policy p ON p.oid = d.objoid
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.classoid = 'pg_policy'::regclass";

const LARGE_OBJECTS: &str = "
SELECT l.oid, 0 AS attnum, d.description, NULL::text AS schema, l.oid::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, NULL::oid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_largeobject_metadata l ON l.oid = d.objoid
WHERE d.classoid = 'pg_largeobject'::regclass";

const FOREIGN_DATA_WRAPPERS: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, o.fdwname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, NULL::oid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_foreign_data_wrapper o ON o.oid = d.objoid
WHERE d.classoid = 'pg_foreign_data_wrapper'::regclass";

const FOREIGN_SERVERS: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, o.srvname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, NULL::oid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_foreign_server o ON o.oid = d.objoid
WHERE d.classoid = 'pg_foreign_server'::regclass";

const EVENT_TRIGGERS: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, o.evtname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, NULL::oid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_event_trigger o ON o.oid = d.objoid
WHERE d.classoid = 'pg_event_trigger'::regclass";

const PUBLICATIONS: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, o.pubname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, NULL::oid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_publication o ON o.oid = d.objoid
WHERE d.classoid = 'pg_publication'::regclass";

const SUBSCRIPTIONS: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, o.subname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, NULL::oid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_subscription o ON o.oid = d.objoid
WHERE d.classoid = 'pg_subscription'::regclass";

const STATISTICS: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.stxname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner, NULL::oid AS relation,
       NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_statistic_ext o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.stxnamespace
WHERE d.classoid = 'pg_statistic_ext'::regclass";
