//! Columns of tables and views: types, defaults, NOT NULL constraints, and what of them is inherited.

use std::collections::HashMap;

use super::relations::{Relation, Relations};
use crate::{
    base::Result,
    catalog::{
        draft::Context,
        rows::{field, letter},
    },
    pg::{ServerVersion, qualified},
};

/// One column that is not dropped.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// `attnum`.
    pub number: i16,
    pub name: String,
    /// As `format_type` gives it.
    pub type_sql: String,
    /// Qualified and quoted, if it is not the type's own.
    pub collation: Option<String>,
    /// Statistics target, if set.
    pub statistics: Option<i32>,
    /// `attstorage`, and the type's.
    pub storage: char,
    pub type_storage: char,
    /// `p`, `l`, or NUL.
    pub compression: char,
    /// `name=value, …`; empty for none.
    pub options: String,
    /// Options of a foreign table's column, as they stand between the parentheses; empty for none.
    pub server_options: String,
    /// `a`, `d` or NUL.
    pub identity: char,
    /// `s`, `v` or NUL.
    pub generated: char,
    pub is_local: bool,
    pub not_null: Option<NotNull>,
    pub default: Option<Default>,
}

/// A valid NOT NULL constraint.
#[derive(Debug, Clone)]
pub(crate) struct NotNull {
    /// Its name if it must be said: 17 and before have none, and the server's choice need not be repeated.
    pub name: Option<String>,
    /// A comment refers to it by its name.
    pub commented: bool,
    pub no_inherit: bool,
    pub is_local: bool,
}

/// A default or generation expression.
#[derive(Debug, Clone)]
pub(crate) struct Default {
    /// `pg_attrdef.oid`; 0 for a DEFAULT NULL that only takes an inherited default away.
    pub oid: u32,
    pub expression: String,
    /// False for a generation expression that the column inherits.
    pub printed: bool,
}

/// NOT NULL constraints have `pg_constraint` rows since 18; `attcompression` came with 14.
fn columns_query(version: ServerVersion) -> String {
    let compression = if version.major() >= 14 { "a.attcompression" } else { "''::\"char\"" };
    let (not_null, join) = if version.major() >= 18 {
        (
            "co.conname::text AS not_null_name, NOT co.convalidated AS not_null_invalid, \
             co.connoinherit AS not_null_no_inherit, co.conislocal AS not_null_local, \
             obj_description(co.oid, 'pg_constraint') IS NOT NULL AS not_null_comment",
            "LEFT JOIN pg_constraint co ON co.conrelid = a.attrelid AND co.contype = 'n' AND co.conkey = ARRAY[a.attnum]",
        )
    } else {
        (
            "CASE WHEN a.attnotnull THEN '' END AS not_null_name, false AS not_null_invalid, \
             false AS not_null_no_inherit, true AS not_null_local, false AS not_null_comment",
            "",
        )
    };
    format!(
        "SELECT a.attrelid, a.attnum, a.attname, format_type(t.oid, a.atttypmod) AS type_sql, \
           CASE WHEN a.attcollation <> t.typcollation THEN cn.nspname END AS collation_schema, \
           CASE WHEN a.attcollation <> t.typcollation THEN cl.collname END AS collation_name, \
           a.attstattarget::int4 AS statistics, a.attstorage, t.typstorage, {compression} AS compression, \
           coalesce(array_to_string(a.attoptions, ', '), '') AS options, \
           CASE WHEN a.attfdwoptions IS NOT NULL THEN array_to_string(ARRAY( \
             SELECT quote_ident(option_name) || ' ' || quote_literal(option_value) \
             FROM pg_options_to_table(a.attfdwoptions) ORDER BY option_name), E',\\n    ') END AS server_options, \
           a.attidentity, a.attgenerated, a.attislocal, {not_null} \
         FROM unnest($1::oid[]) AS src(relid) \
         JOIN pg_attribute a ON a.attrelid = src.relid \
         JOIN pg_type t ON t.oid = a.atttypid \
         LEFT JOIN pg_collation cl ON cl.oid = a.attcollation \
         LEFT JOIN pg_namespace cn ON cn.oid = cl.collnamespace \
         {join} \
         WHERE a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attrelid, a.attnum"
    )
}

const DEFAULTS: &str = "SELECT d.oid, d.adrelid, d.adnum, pg_get_expr(d.adbin, d.adrelid) AS expression \
     FROM unnest($1::oid[]) AS src(relid) JOIN pg_attrdef d ON d.adrelid = src.relid";

pub(crate) async fn load(cx: &Context<'_>, relations: &[u32]) -> Result<HashMap<u32, Vec<Column>>> {
    let mut columns: HashMap<u32, Vec<Column>> = HashMap::new();
    let query = columns_query(cx.version);
    for row in cx.rows("columns", &query, &[&relations]).await? {
        let collation = match (field(&row, "collation_schema")?, field(&row, "collation_name")?) {
            (Some(schema), Some(name)) => Some(qualified(schema, name)),
            _ => None,
        };
        let invalid = field::<Option<bool>>(&row, "not_null_invalid")?.unwrap_or(false);
        // A NOT NULL that is not validated is an entry of its own.
        let not_null = match field::<Option<String>>(&row, "not_null_name")? {
            Some(name) if !invalid => Some(NotNull {
                name: Some(name).filter(|n| !n.is_empty()),
                commented: field(&row, "not_null_comment")?,
                no_inherit: field(&row, "not_null_no_inherit")?,
                is_local: field(&row, "not_null_local")?,
            }),
            _ => None,
        };
        let column = Column {
            number: field(&row, "attnum")?,
            name: field(&row, "attname")?,
            type_sql: field(&row, "type_sql")?,
            collation,
            statistics: field::<Option<i32>>(&row, "statistics")?.filter(|s| *s >= 0),
            storage: letter(&row, "attstorage")?,
            type_storage: letter(&row, "typstorage")?,
            compression: letter(&row, "compression")?,
            options: field(&row, "options")?,
            server_options: field::<Option<_>>(&row, "server_options")?.unwrap_or_default(),
            identity: letter(&row, "attidentity")?,
            generated: letter(&row, "attgenerated")?,
            is_local: field(&row, "attislocal")?,
            not_null,
            default: None,
        };
        columns.entry(field(&row, "attrelid")?).or_default().push(column);
    }
    for row in cx.rows("defaults", DEFAULTS, &[&relations]).await? {
        let number: i16 = field(&row, "adnum")?;
        let of_table = columns.get_mut(&field::<u32>(&row, "adrelid")?);
        if let Some(column) = of_table.and_then(|c| c.iter_mut().find(|c| c.number == number)) {
            column.default = Some(Default {
                oid: field(&row, "oid")?,
                expression: field(&row, "expression")?,
                printed: true,
            });
        }
    }
    Ok(columns)
}

/// What the columns of one relation take from their parents: computed for all before anything is changed, as children may come first.
struct Inherited {
    relation: u32,
    column: usize,
    change: Change,
}

enum Change {
    /// NOT NULL comes from a parent (servers before 18 do not tell).
    NotNullFromParent,
    /// NOT NULL is valid here and in no parent: it must be said here.
    NotNullHere,
    /// A parent has a default and the column has none.
    DefaultNull,
    /// The generation expression comes from the parents.
    GenerationFromParent,
}

/// The counterpart of pg_dump's `flagInhAttrs`, and of the end of its `determineNotNullFlags`.
pub(crate) fn flag_inherited(relations: &mut Relations, version: ServerVersion) {
    let mut changes = Vec::new();
    for relation in
        relations.archived().filter(|r| matches!(r.kind, 'r' | 'p' | 'f') && !r.parents.is_empty())
    {
        let parents: Vec<&Relation> = relation.parents.iter().filter_map(|p| relations.known(*p)).collect();
        for (index, column) in relation.columns.iter().enumerate() {
            for change in inherited(relation, column, &parents, version) {
                changes.push(Inherited { relation: relation.oid, column: index, change });
            }
        }
    }
    let all = relations.all_mut();
    for Inherited { relation, column, change } in changes {
        let Some(column) = all.get_mut(&relation).and_then(|r| r.columns.get_mut(column)) else { continue };
        match change {
            Change::NotNullFromParent => set_local(column, false),
            Change::NotNullHere => set_local(column, true),
            Change::DefaultNull => {
                column.default = Some(Default { oid: 0, expression: "NULL".to_owned(), printed: true });
            }
            Change::GenerationFromParent => {
                if let Some(default) = &mut column.default {
                    default.printed = false;
                }
            }
        }
    }
    for relation in all.values_mut() {
        for column in &mut relation.columns {
            let usual = format!("{}_{}_not_null", relation.name, column.name);
            if let Some(not_null) = &mut column.not_null
                && !not_null.commented
            {
                // The server would choose this name by itself.
                not_null.name = not_null.name.take().filter(|name| *name != usual);
            }
        }
    }
}

fn set_local(column: &mut Column, is_local: bool) {
    if let Some(not_null) = &mut column.not_null {
        not_null.is_local = is_local;
    }
}

fn inherited(
    relation: &Relation,
    column: &Column,
    parents: &[&Relation],
    version: ServerVersion,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let same_name: Vec<&Column> =
        parents.iter().filter_map(|p| p.columns.iter().find(|c| c.name == column.name)).collect();
    if version.major() < 18 {
        if same_name.iter().any(|c| c.not_null.is_some()) {
            changes.push(Change::NotNullFromParent);
        }
    } else if !same_name.iter().any(|c| c.not_null.is_some()) {
        changes.push(Change::NotNullHere);
    }
    let has_default =
        |c: &&&Column| c.generated == '\0' && c.default.as_ref().is_some_and(|d| d.expression != "NULL");
    if column.default.is_none() && same_name.iter().any(|c| has_default(&c)) {
        changes.push(Change::DefaultNull);
    }
    let mut generated = same_name.iter().filter(|c| c.generated != '\0').peekable();
    if generated.peek().is_some()
        && !relation.is_partition
        && generated.all(|c| match (&c.default, &column.default) {
            (Some(parent), Some(own)) => parent.expression == own.expression,
            _ => false,
        })
    {
        changes.push(Change::GenerationFromParent);
    }
    changes
}
