//! VIEW and MATERIALIZED VIEW, with MATERIALIZED VIEW DATA to refresh those that were populated.
//!
//! A view's query is its `_RETURN` rule. It is written into CREATE VIEW unless it takes part in a cycle: then the view is made with a
//! query that only has the right columns, and a RULE entry after the data replaces it (pg_dump's `repairViewRuleMultiLoop`).

use std::collections::HashMap;
use std::fmt::Write;

use super::{
    defaults,
    relations::{Relation, Relations, options_sql},
    tables,
};
use crate::{
    base::Result,
    catalog::{
        class::PG_REWRITE,
        draft::{CatalogId, Context, Draft, Drafts, Fragment, FragmentKind, Part, Section},
        rows::field,
    },
    pg::ident,
};

const QUERY_RULES: &str = "SELECT oid, ev_class FROM pg_rewrite WHERE ev_type = '1' AND is_instead";

/// Which materialized views a materialized view reads, directly or through views (pg_dump's `buildMatViewRefreshDependencies`).
const READS: &str = "WITH RECURSIVE w AS ( \
       SELECT c1.oid AS reader, d2.refobjid AS read, c2.relkind \
         FROM pg_class c1 \
         JOIN pg_rewrite r1 ON r1.ev_class = c1.oid \
         JOIN pg_depend d2 ON d2.classid = 'pg_rewrite'::regclass AND d2.objid = r1.oid \
           AND d2.refclassid = 'pg_class'::regclass AND d2.refobjid <> c1.oid \
         JOIN pg_class c2 ON c2.oid = d2.refobjid AND c2.relkind IN ('m', 'v') \
         WHERE c1.relkind = 'm' \
       UNION \
       SELECT w.reader, d3.refobjid, c3.relkind \
         FROM w \
         JOIN pg_rewrite r3 ON r3.ev_class = w.read \
         JOIN pg_depend d3 ON d3.classid = 'pg_rewrite'::regclass AND d3.objid = r3.oid \
           AND d3.refclassid = 'pg_class'::regclass AND d3.refobjid <> w.read \
         JOIN pg_class c3 ON c3.oid = d3.refobjid AND c3.relkind IN ('m', 'v') \
     ) SELECT reader, read FROM w WHERE relkind = 'm'";

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let mut rules: HashMap<u32, u32> = HashMap::new();
    for row in cx.rows("views' rules", QUERY_RULES, &[]).await? {
        rules.insert(field(&row, "ev_class")?, field(&row, "oid")?);
    }
    for view in relations.archived() {
        let rule = rules.get(&view.oid).map(|oid| CatalogId { class: PG_REWRITE, oid: *oid });
        match (view.kind, rule) {
            ('v', Some(rule)) => add_view(view, rule, out),
            ('m', rule) => {
                if let Some(rule) = rule {
                    out.aliases.insert(rule, view.id());
                }
                add_materialized(view, out);
            }
            ('v', None) => out.warnings.push(format!("view {} has no query and was left out", view.sql())),
            _ => {}
        }
    }
    refreshes(cx, relations, out).await
}

fn add_view(view: &Relation, rule: CatalogId, out: &mut Drafts) {
    let mut full = String::new();
    if !view.options.is_empty() {
        let _ = write!(full, " WITH ({})", options_sql(&view.options, ""));
    }
    let _ = write!(full, " AS\n{}", view.query.as_deref().unwrap_or_default());
    if let Some(check) = view.check_option {
        let _ = write!(full, "\n  WITH {check} CHECK OPTION");
    }
    full.push_str(";\n");
    let dummy = format!(" AS\n{};\n", dummy_query(view));

    let mut draft = view.draft(view.id().definition(), "VIEW", Section::PreData, view.name.clone());
    draft.definition = format!("CREATE VIEW {}{}", view.sql(), Fragment::slot(rule));
    draft.drop = format!("DROP VIEW {};\n", view.sql());
    draft.relkind = Some('v');
    out.add(draft);

    let mut apart = view.member(rule, "RULE", Section::PostData, "_RETURN");
    apart.definition = format!("CREATE OR REPLACE VIEW {}{full}", view.sql());
    // The rule cannot be dropped; this frees it from what it depends on.
    apart.drop = format!("CREATE OR REPLACE VIEW {}{dummy}", view.sql());
    let fragment = Fragment {
        owner: view.id(),
        kind: FragmentKind::ViewQuery,
        inline: full,
        without: dummy,
        apart: Some(apart),
    };
    out.fragments.insert(rule, fragment);

    for column in &view.columns {
        if let Some(default) = &column.default {
            out.add(defaults::entry(view, column, &default.expression, default.oid));
        }
    }
}

/// A query with the view's columns and nothing else. Collations are said, because CREATE OR REPLACE VIEW cannot change them.
fn dummy_query(view: &Relation) -> String {
    let columns: Vec<String> = view
        .columns
        .iter()
        .map(|c| {
            let collate = c.collation.as_ref().map(|c| format!(" COLLATE {c}")).unwrap_or_default();
            format!("\n    NULL::{}{collate} AS {}", c.type_sql, ident(&c.name))
        })
        .collect();
    format!("SELECT{}", columns.join(","))
}

fn add_materialized(view: &Relation, out: &mut Drafts) {
    let unlogged = if view.persistence == 'u' { "UNLOGGED " } else { "" };
    let mut draft =
        view.draft(view.id().definition(), "MATERIALIZED VIEW", Section::PreData, view.name.clone());
    draft.definition = format!(
        "CREATE {unlogged}MATERIALIZED VIEW {}{} AS\n{}\n  WITH NO DATA;\n{}{}",
        view.sql(),
        tables::with_clause(view),
        view.query.as_deref().unwrap_or_default(),
        tables::column_settings(view),
        tables::replica_identity(view)
    );
    draft.drop = format!("DROP MATERIALIZED VIEW {};\n", view.sql());
    draft.tablespace = Some(view.tablespace.clone());
    draft.table_am = view.access_method.clone();
    draft.relkind = Some('m');
    out.add(draft);
}

/// A view that reads an unpopulated one cannot be refreshed, so it stays unpopulated as well.
async fn refreshes(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let mut reads: HashMap<u32, Vec<u32>> = HashMap::new();
    for row in cx.rows("what materialized views read", READS, &[]).await? {
        reads.entry(field(&row, "reader")?).or_default().push(field(&row, "read")?);
    }
    let populated = |oid: &u32| relations.known(*oid).is_none_or(|r| r.populated);
    for view in relations.archived().filter(|r| r.kind == 'm' && r.populated) {
        let read = reads.remove(&view.oid).unwrap_or_default();
        if !read.iter().all(populated) {
            continue;
        }
        let mut draft = refresh(view);
        draft.depends.extend(read.iter().map(|oid| CatalogId::relation(*oid).part(Part::Set)));
        out.add(draft);
    }
    Ok(())
}

/// MATERIALIZED VIEW DATA.
pub(super) fn refresh(view: &Relation) -> Draft {
    let key = view.id().part(Part::Set);
    let mut draft = view.draft(key, "MATERIALIZED VIEW DATA", Section::PostData, view.name.clone());
    draft.definition = format!("REFRESH MATERIALIZED VIEW {};\n", view.sql());
    draft.depends.insert(view.id().definition());
    draft
}
