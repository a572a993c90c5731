//! DATABASE, with its comment, labels and grants, and DATABASE PROPERTIES: what `pg_restore --create` uses and everyone else passes over.
//!
//! The counterpart of pg_dump's `dumpDatabase`.

use std::fmt::Write;

use super::routines::settings;
use crate::{
    base::Result,
    catalog::{
        DatabaseProperties,
        acl::{self, AclKind},
        class::PG_DATABASE,
        draft::{CatalogId, Context, Draft, Drafts, Part, Section},
        rows::field,
    },
    pg::{ident, literal},
};

const GRANTS: &str = "
SELECT datacl::text[] AS acl, acldefault('d', datdba)::text[] AS base FROM pg_database WHERE oid = $1 AND datacl IS NOT NULL";

const LABELS: &str = "
SELECT provider, label FROM pg_shseclabel WHERE classoid = 'pg_database'::regclass AND objoid = $1 ORDER BY provider";

/// Adds the entries. Call it when nothing else needs the drafts' order: they need nothing and nothing needs them.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, database: &DatabaseProperties, out: &mut Drafts) -> Result<()> {
    let id = CatalogId { class: PG_DATABASE, oid: database.oid };
    let sql = ident(&database.name);
    let of_database = |part, desc, section, tag: String, definition: String| Draft {
        owner: database.owner.clone(),
        definition,
        ..Draft::blank(id.part(part), desc, section, tag)
    };
    let mut create =
        of_database(Part::Definition, "DATABASE", Section::PreData, database.name.clone(), create(database));
    create.drop = format!("DROP DATABASE {sql};\n");
    out.add(create);

    let tag = format!("DATABASE {sql}");
    if let Some(comment) = database.comment.as_deref().filter(|c| !c.is_empty()) {
        let definition = format!("COMMENT ON {tag} IS {};\n", literal(comment));
        out.add(of_database(Part::Comment(0), "COMMENT", Section::None, tag.clone(), definition));
    }
    let mut labels = String::new();
    for row in cx.rows("security labels of the database", LABELS, &[&database.oid]).await? {
        let (provider, label): (&str, &str) = (field(&row, "provider")?, field(&row, "label")?);
        let _ = writeln!(labels, "SECURITY LABEL FOR {} ON {tag} IS {};", ident(provider), escaped(label));
    }
    if !labels.is_empty() {
        out.add(of_database(Part::SecurityLabel, "SECURITY LABEL", Section::None, tag.clone(), labels));
    }
    for row in cx.rows("grants on the database", GRANTS, &[&database.oid]).await? {
        let subject = acl::Subject { kind: AclKind::Database, name: &sql, column: None, prefix: "" };
        let (granted, base) = (field(&row, "acl")?, field(&row, "base")?);
        let definition = acl::checked(cx, out, &subject, &database.owner, &tag, granted, base);
        if !definition.is_empty() {
            out.add(of_database(Part::Acl(0), "ACL", Section::None, tag.clone(), definition));
        }
    }
    let definition = properties(database);
    if !definition.is_empty() {
        let name = database.name.clone();
        let mut draft =
            of_database(Part::Completion, "DATABASE PROPERTIES", Section::PreData, name, definition);
        if database.is_template {
            draft.drop = format!(
                "UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = {};\n",
                literal(&database.name)
            );
        }
        draft.depends.insert(id.definition());
        out.add(draft);
    }
    Ok(())
}

/// What cannot be changed later.
fn create(database: &DatabaseProperties) -> String {
    let mut sql = format!(
        "CREATE DATABASE {} WITH TEMPLATE = template0 ENCODING = {} LOCALE_PROVIDER = {}",
        ident(&database.name),
        literal(&database.encoding),
        database.locale_provider
    );
    let mut set = |option: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(sql, " {option} = {}", literal(value));
        }
    };
    if database.collate == database.ctype {
        set("LOCALE", &database.collate);
    } else {
        set("LC_COLLATE", &database.collate);
        set("LC_CTYPE", &database.ctype);
    }
    let option = if database.locale_provider == "builtin" { "BUILTIN_LOCALE" } else { "ICU_LOCALE" };
    set(option, database.locale.as_deref().unwrap_or_default());
    set("ICU_RULES", database.icu_rules.as_deref().unwrap_or_default());
    if database.tablespace != "pg_default" {
        let _ = write!(sql, " TABLESPACE = {}", ident(&database.tablespace));
    }
    sql.push_str(";\n");
    sql
}

/// A string literal that means the same whatever `standard_conforming_strings` is.
fn escaped(text: &str) -> String {
    if text.contains('\\') { format!("E{}", literal(&text.replace('\\', "\\\\"))) } else { literal(text) }
}

/// What can.
fn properties(database: &DatabaseProperties) -> String {
    let name = ident(&database.name);
    let mut sql = String::new();
    if database.connection_limit != -1 {
        let _ = writeln!(sql, "ALTER DATABASE {name} CONNECTION LIMIT = {};", database.connection_limit);
    }
    if database.is_template {
        let _ = writeln!(sql, "ALTER DATABASE {name} IS_TEMPLATE = true;");
    }
    for setting in &database.settings {
        let whose = match &setting.role {
            Some(role) => format!("ROLE {} IN DATABASE {name}", ident(role)),
            None => format!("DATABASE {name}"),
        };
        let _ = writeln!(
            sql,
            "ALTER {whose} SET {};",
            settings::assignment(&setting.name, &setting.value, escaped)
        );
    }
    sql
}
