//! TABLE and FOREIGN TABLE: ordinary, partitioned, typed, inheriting and foreign tables, with their columns, inline defaults and CHECK constraints.
//!
//! The counterpart of pg_dump's `dumpTableSchema`. Partitions are made as tables of their own and attached by [`super::attach`].

use std::collections::HashMap;
use std::fmt::Write;

use super::{
    checks::{self, Check},
    columns::Column,
    defaults,
    relations::{Relation, Relations, options_sql},
};
use crate::{
    base::Result,
    catalog::{
        class::PG_ATTRDEF,
        draft::{CatalogId, Context, Drafts, Fragment, FragmentKind, Section},
    },
    pg::ident,
};

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let mut checks: HashMap<u32, Vec<Check>> = checks::load(cx, relations).await?;
    for table in relations.archived().filter(|r| matches!(r.kind, 'r' | 'p' | 'f')) {
        let of_table = checks.remove(&table.oid).unwrap_or_default();
        let mut draft =
            table.draft(table.id().definition(), desc(table), Section::PreData, table.name.clone());
        draft.definition = definition(table, relations, &of_table);
        draft.drop = format!("DROP {} {};\n", desc(table), table.sql());
        draft.tablespace = (table.kind != 'f').then(|| table.tablespace.clone());
        draft.table_am = table.access_method.clone();
        draft.relkind = Some(table.kind);
        out.add(draft);
        for column in &table.columns {
            inline_default(table, column, out);
        }
        for check in &of_table {
            check.place(table, out);
        }
    }
    Ok(())
}

fn desc(table: &Relation) -> &'static str {
    if table.kind == 'f' { "FOREIGN TABLE" } else { "TABLE" }
}

fn definition(table: &Relation, relations: &Relations, checks: &[Check]) -> String {
    // PostgreSQL 18 has no unlogged partitioned tables, and before it the word had no effect on them.
    let unlogged = if table.persistence == 'u' && table.kind != 'p' { "UNLOGGED " } else { "" };
    let mut sql = format!("CREATE {unlogged}{} {}", desc(table), table.sql());
    if let Some(of_type) = &table.of_type {
        let _ = write!(sql, " OF {of_type}");
    }
    // NOT NULL as an element of its own came with 18.
    let constraints_have_names = relations.version().major() >= 18;
    let elements = elements(table, checks, constraints_have_names);
    if !elements.is_empty() || table.of_type.is_none() {
        let _ = write!(sql, " ({elements}\n)");
    }
    if !table.parents.is_empty() && !table.is_partition {
        let parents: Vec<String> =
            table.parents.iter().filter_map(|p| relations.known(*p)).map(Relation::sql).collect();
        let _ = write!(sql, "\nINHERITS ({})", parents.join(", "));
    }
    if let Some(key) = &table.partition_key {
        let _ = write!(sql, "\nPARTITION BY {key}");
    }
    if let Some(server) = &table.server {
        let _ = write!(sql, "\nSERVER {}", ident(server));
    }
    sql.push_str(&with_clause(table));
    if !table.server_options.is_empty() {
        let _ = write!(sql, "\nOPTIONS (\n    {}\n)", table.server_options);
    }
    sql.push_str(";\n");
    if !constraints_have_names {
        for column in table.columns.iter().filter(|c| adds_not_null(table, c)) {
            let (alter, table, column) = (table.alter(), table.sql(), ident(&column.name));
            let _ = writeln!(sql, "{alter} ONLY {table} ALTER COLUMN {column} SET NOT NULL;");
        }
    }
    sql.push_str(&column_settings(table));
    sql.push_str(&replica_identity(table));
    if table.force_row_security {
        let _ = write!(sql, "\nALTER TABLE ONLY {} FORCE ROW LEVEL SECURITY;\n", table.sql());
    }
    sql
}

/// Columns and constraints between the parentheses. The first has no comma; where a slot comes first, rendering takes its comma away.
fn elements(table: &Relation, checks: &[Check], constraints_have_names: bool) -> String {
    let mut elements = String::new();
    let mut add = |element: &str| {
        let comma = if elements.is_empty() { "" } else { "," };
        let _ = write!(elements, "{comma}\n    {element}");
    };
    for column in &table.columns {
        if table.prints(column) {
            if let Some(element) = column_element(table, column) {
                add(&element);
            }
        } else if let Some(not_null) = column.not_null.as_ref()
            && constraints_have_names
            && adds_not_null(table, column)
        {
            let name =
                not_null.name.as_deref().map(|n| format!("CONSTRAINT {} ", ident(n))).unwrap_or_default();
            let no_inherit = if not_null.no_inherit { " NO INHERIT" } else { "" };
            add(&format!("{name}NOT NULL {}{no_inherit}", ident(&column.name)));
        }
    }
    for check in checks.iter().filter(|c| c.is_inline(table)) {
        elements.push_str(&Fragment::slot(check.id()));
    }
    elements
}

/// Whether the column comes from a parent, but its NOT NULL does not.
fn adds_not_null(table: &Relation, column: &Column) -> bool {
    !table.prints(column) && column.not_null.as_ref().is_some_and(|n| n.is_local)
}

fn column_element(table: &Relation, column: &Column) -> Option<String> {
    let default = column.default.as_ref().filter(|d| d.printed);
    let not_null = column.not_null.as_ref().filter(|n| n.is_local || table.is_partition);
    let mut sql = ident(&column.name);
    if table.of_type.is_none() {
        let _ = write!(sql, " {}", column.type_sql);
    } else if default.is_none() && not_null.is_none() {
        return None;
    }
    match default {
        Some(default) if default.oid != 0 => {
            sql.push_str(&Fragment::slot(CatalogId { class: PG_ATTRDEF, oid: default.oid }));
        }
        Some(default) => {
            let _ = write!(sql, " DEFAULT {}", default.expression);
        }
        None => {}
    }
    if let Some(not_null) = not_null {
        if let Some(name) = &not_null.name {
            let _ = write!(sql, " CONSTRAINT {}", ident(name));
        }
        sql.push_str(" NOT NULL");
        if not_null.no_inherit {
            sql.push_str(" NO INHERIT");
        }
    }
    if let Some(collation) = &column.collation {
        let _ = write!(sql, " COLLATE {collation}");
    }
    Some(sql)
}

/// The column's default as a piece of the table, or as an entry of its own where the table does not name the column.
fn inline_default(table: &Relation, column: &Column, out: &mut Drafts) {
    let Some(default) = &column.default else { return };
    let id = CatalogId { class: PG_ATTRDEF, oid: default.oid };
    if !default.printed {
        out.aliases.insert(id, table.id());
    } else if !table.prints(column) && column.generated == '\0' {
        out.add(defaults::entry(table, column, &default.expression, default.oid));
    } else if default.oid != 0 {
        let (kind, inline) = match column.generated {
            's' => {
                (FragmentKind::Generation, format!(" GENERATED ALWAYS AS ({}) STORED", default.expression))
            }
            'v' => (FragmentKind::Generation, format!(" GENERATED ALWAYS AS ({})", default.expression)),
            _ => (FragmentKind::Default, format!(" DEFAULT {}", default.expression)),
        };
        let apart = (kind == FragmentKind::Default)
            .then(|| defaults::entry(table, column, &default.expression, default.oid));
        out.fragments.insert(id, Fragment { owner: table.id(), kind, inline, without: String::new(), apart });
    }
}

pub(super) fn with_clause(table: &Relation) -> String {
    let own = options_sql(&table.options, "");
    let toast = options_sql(&table.toast_options, "toast.");
    match (own.is_empty(), toast.is_empty()) {
        (true, true) => String::new(),
        (false, false) => format!("\nWITH ({own}, {toast})"),
        _ => format!("\nWITH ({own}{toast})"),
    }
}

/// Properties of columns that only ALTER TABLE can set.
pub(super) fn column_settings(table: &Relation) -> String {
    let mut sql = String::new();
    for column in &table.columns {
        let alter = format!("{} ONLY {} ALTER COLUMN {}", table.alter(), table.sql(), ident(&column.name));
        let mut set = |setting: &str| {
            let _ = writeln!(sql, "{alter} SET {setting};");
        };
        if let Some(target) = column.statistics {
            set(&format!("STATISTICS {target}"));
        }
        if column.storage != column.type_storage {
            let storage = match column.storage {
                'p' => Some("PLAIN"),
                'e' => Some("EXTERNAL"),
                'x' => Some("EXTENDED"),
                'm' => Some("MAIN"),
                _ => None,
            };
            if let Some(storage) = storage {
                set(&format!("STORAGE {storage}"));
            }
        }
        match column.compression {
            'p' => set("COMPRESSION pglz"),
            'l' => set("COMPRESSION lz4"),
            _ => {}
        }
        if !column.options.is_empty() {
            set(&format!("({})", column.options));
        }
        if !column.server_options.is_empty() {
            let _ = writeln!(sql, "{alter} OPTIONS (\n    {}\n);", column.server_options);
        }
    }
    sql
}

/// An identity by index is said with the index.
pub(super) fn replica_identity(table: &Relation) -> String {
    let identity = match table.replica_identity {
        _ if table.kind == 'f' => return String::new(),
        'n' => "NOTHING",
        'f' => "FULL",
        _ => return String::new(),
    };
    format!("\nALTER TABLE ONLY {} REPLICA IDENTITY {identity};\n", table.sql())
}
