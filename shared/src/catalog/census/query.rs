//! The census' queries, made from what the server says of its catalogs.

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_OPFAMILY, PG_TYPE},
        draft::Context,
        rows::field,
    },
};

/// Catalogs whose rows have an oid. Those that all databases share hold what belongs to the server: roles, tablespaces, databases;
/// subscriptions stand there, too, and belong to one database. Before 14 only superusers may read a subscription's oid; its collector names
/// those that others cannot save.
const CATALOGS: &str = "SELECT c.oid, c.relname::text AS name, \
       has_table_privilege(c.oid, 'SELECT') OR c.relname = 'pg_user_mapping' \
         OR (c.relname = 'pg_subscription' AND has_column_privilege(c.oid, 'oid', 'SELECT')) AS readable, \
       (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
          AND a.atttypid = 'oid'::regtype AND a.attname ~ 'namespace$' AND a.attname <> 'defaclnamespace') AS schema_column, \
       (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN \
          ('adrelid', 'tgrelid', 'ev_class', 'polrelid', 'conrelid')) AS relation_column \
     FROM pg_class c \
     WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND c.oid < 16384 \
       AND (NOT c.relisshared OR (c.relname = 'pg_subscription' AND has_column_privilege(c.oid, 'oid', 'SELECT'))) \
       AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'oid' AND a.attnum > 0) \
     ORDER BY c.relname";

/// Comments on what users made; those on objects of a temporary schema end with their session.
pub(super) const COMMENTS: &str = "SELECT classoid, objoid, objsubid FROM pg_description d \
     WHERE objoid >= 16384 AND NOT EXISTS \
       (SELECT FROM pg_class c WHERE d.classoid = 'pg_class'::regclass AND c.oid = d.objoid AND c.relpersistence = 't')";

/// Names for people, and whether the object is an index that cannot be used.
pub(super) const DESCRIPTIONS: &str = "SELECT pg_describe_object(o.class, o.oid, o.part) AS object, \
       coalesce(NOT i.indisvalid, false) AS invalid_index \
     FROM unnest($1::oid[], $2::oid[], $3::int4[]) WITH ORDINALITY AS o(class, oid, part, n) \
     LEFT JOIN pg_index i ON o.class = 'pg_class'::regclass AND i.indexrelid = o.oid \
     ORDER BY o.n";

/// One catalog.
#[derive(Debug)]
pub(super) struct Catalog {
    pub oid: u32,
    pub name: String,
    /// False when the session may not read it.
    pub readable: bool,
    /// The class of the object that brings this catalog's rows, where they have no entries of their own.
    pub outer: Option<u32>,
    schema_column: Option<String>,
    relation_column: Option<String>,
}

pub(super) async fn catalogs(cx: &Context<'_>) -> Result<Vec<Catalog>> {
    let rows = cx.rows("the list of catalogs", CATALOGS, &[]).await?;
    rows.iter()
        .map(|row| {
            let name: String = field(row, "name")?;
            Ok(Catalog {
                oid: field(row, "oid")?,
                readable: field(row, "readable")?,
                outer: outer(&name).map(|(class, _)| class),
                schema_column: field(row, "schema_column")?,
                relation_column: field(row, "relation_column")?,
                name,
            })
        })
        .collect()
}

/// Rows that are written in the definition of another object: its class, and the column with its oid.
fn outer(catalog: &str) -> Option<(u32, &'static str)> {
    match catalog {
        "pg_amop" => Some((PG_OPFAMILY, "amopfamily")),
        "pg_amproc" => Some((PG_OPFAMILY, "amprocfamily")),
        "pg_enum" => Some((PG_TYPE, "enumtypid")),
        _ => None,
    }
}

/// Which rows of a catalog are no objects of their own.
fn rule(catalog: &str) -> &'static str {
    match catalog {
        // A valid NOT NULL is written in its column; what a table inherits comes from the parent; those of partitioned tables make
        // those of the partitions; a constraint trigger is counted as a trigger; an extension brings the constraints of its domains.
        "pg_constraint" => {
            "NOT (o.contype = 'n' AND o.convalidated) AND o.contype <> 't' \
             AND NOT (o.contype = 'f' AND o.conparentid <> 0) \
             AND NOT (o.contype IN ('c', 'n') AND o.coninhcount > 0 AND NOT o.conislocal) \
             AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = o.contypid \
                               AND e.deptype = 'e')"
        }
        "pg_trigger" => "NOT o.tgisinternal AND o.tgparentid = 0",
        // Named as a commutator or negator and never defined.
        "pg_operator" => "o.oprcode <> 0",
        _ => "true",
    }
}

/// Whether being the implementation of another object (`pg_depend` type i) says that the row needs no entry: not for sequences of identity
/// columns and triggers of users, which have entries of their own.
fn implements_another(catalog: &str) -> &'static str {
    match catalog {
        "pg_class" => "o.relkind <> 'S'",
        "pg_trigger" => "false",
        _ => "true",
    }
}

impl Catalog {
    /// All objects of this catalog that must be in the archive: `oid`, `outer_oid`, `kind` (`relkind` of what has rows or a value; NUL),
    /// `relation` (the one it belongs to).
    pub fn objects(&self) -> String {
        let Self { oid, name, .. } = self;
        let from = match name.as_str() {
            // The catalogs themselves hold secrets.
            "pg_user_mapping" => "(SELECT umid AS oid FROM pg_user_mappings) o".to_owned(),
            "pg_subscription" => {
                "(SELECT s.oid FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid \
                                    WHERE d.datname = current_database()) o"
                    .to_owned()
            }
            name => format!("pg_catalog.{name} o"),
        };
        let outer = outer(name).map_or("0::oid".to_owned(), |(_, column)| format!("o.{column}"));
        let kind = match name.as_str() {
            "pg_class" => {
                "CASE WHEN o.relkind = 'm' AND NOT o.relispopulated THEN ''::\"char\" ELSE o.relkind END"
            }
            _ => "''::\"char\"",
        };
        let relation = match (name.as_str(), &self.relation_column) {
            ("pg_class", _) => "(SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = o.oid)".to_owned(),
            (_, Some(column)) => format!("o.{column}"),
            _ => "NULL::oid".to_owned(),
        };
        let mut sql = format!(
            "SELECT o.oid, {outer} AS outer_oid, {kind} AS kind, {relation} AS relation FROM {from} \
             WHERE o.oid >= {FIRST_USER_OID} AND {}",
            rule(name)
        );
        if let Some(column) = &self.schema_column {
            sql.push_str(&format!(
                " AND NOT EXISTS (SELECT FROM pg_namespace n WHERE n.oid = o.{column} AND n.nspname ~ '^pg_(toast|temp_)')"
            ));
        }
        if let Some(column) = &self.relation_column {
            sql.push_str(&format!(
                " AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = o.{column} AND c.relpersistence = 't')"
            ));
        }
        if name == "pg_namespace" {
            sql.push_str(" AND o.nspname !~ '^pg_(toast|temp_)'");
        }
        sql.push_str(&format!(
            " AND NOT ({} AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = {oid} AND d.objid = o.oid AND d.deptype = 'i'))",
            implements_another(name)
        ));
        sql.push_str(" ORDER BY o.oid");
        sql
    }
}
