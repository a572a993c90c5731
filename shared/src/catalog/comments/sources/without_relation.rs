//! The queries for kinds that know no relation. `on_name` is the access method of an operator class or family, `arguments` what stands
//! for the name of an object that has none (a cast's types), or after it (an operator's types).

pub(super) const CASTS: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, '' AS name, NULL::text AS column_name,
       NULL::text AS on_name, '(' || format_type(o.castsource, NULL) || ' AS ' || format_type(o.casttarget, NULL) || ')' AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_cast o ON o.oid = d.objoid
WHERE d.classoid = 'pg_cast'::regclass AND d.objoid >= 16384";

pub(super) const TRANSFORMS: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, l.lanname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, format_type(o.trftype, NULL) AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_transform o ON o.oid = d.objoid JOIN pg_language l ON l.oid = o.trflang
WHERE d.classoid = 'pg_transform'::regclass AND d.objoid >= 16384";

pub(super) const LANGUAGES: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, o.lanname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_language o ON o.oid = d.objoid
WHERE d.classoid = 'pg_language'::regclass AND d.objoid >= 16384";

pub(super) const ACCESS_METHODS: &str = "
SELECT o.oid, 0 AS attnum, d.description, NULL::text AS schema, o.amname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_am o ON o.oid = d.objoid
WHERE d.classoid = 'pg_am'::regclass AND d.objoid >= 16384";

pub(super) const OPERATORS: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.oprname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, '(' || CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE o.oprleft::regtype::text END || ', '
           || CASE WHEN o.oprright = 0 THEN 'NONE' ELSE o.oprright::regtype::text END || ')' AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_operator o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE d.classoid = 'pg_operator'::regclass AND d.objoid >= 16384";

pub(super) const OPERATOR_CLASSES: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.opcname::text AS name, NULL::text AS column_name,
       a.amname::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_opclass o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am a ON a.oid = o.opcmethod
WHERE d.classoid = 'pg_opclass'::regclass AND d.objoid >= 16384";

pub(super) const OPERATOR_FAMILIES: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.opfname::text AS name, NULL::text AS column_name,
       a.amname::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_opfamily o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.opfnamespace JOIN pg_am a ON a.oid = o.opfmethod
WHERE d.classoid = 'pg_opfamily'::regclass AND d.objoid >= 16384";

pub(super) const COLLATIONS: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.collname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_collation o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.collnamespace
WHERE d.classoid = 'pg_collation'::regclass AND d.objoid >= 16384";

pub(super) const CONVERSIONS: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.conname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_conversion o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.connamespace
WHERE d.classoid = 'pg_conversion'::regclass AND d.objoid >= 16384";

pub(super) const PARSERS: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.prsname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_ts_parser o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.prsnamespace
WHERE d.classoid = 'pg_ts_parser'::regclass AND d.objoid >= 16384";

pub(super) const TEMPLATES: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.tmplname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_ts_template o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.tmplnamespace
WHERE d.classoid = 'pg_ts_template'::regclass AND d.objoid >= 16384";

pub(super) const DICTIONARIES: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.dictname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_ts_dict o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.dictnamespace
WHERE d.classoid = 'pg_ts_dict'::regclass AND d.objoid >= 16384";

pub(super) const CONFIGURATIONS: &str = "
SELECT o.oid, 0 AS attnum, d.description, n.nspname::text AS schema, o.cfgname::text AS name, NULL::text AS column_name,
       NULL::text AS on_name, NULL::text AS arguments, '' AS kind, NULL::text AS owner,
       NULL::oid AS relation, NULL::oid[] AS ancestors, NULL::oid AS index_constraint
FROM pg_description d JOIN pg_ts_config o ON o.oid = d.objoid JOIN pg_namespace n ON n.oid = o.cfgnamespace
WHERE d.classoid = 'pg_ts_config'::regclass AND d.objoid >= 16384";
