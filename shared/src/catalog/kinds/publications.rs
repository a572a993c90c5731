//! PUBLICATION, PUBLICATION TABLE and PUBLICATION TABLES IN SCHEMA entries.

use std::fmt::Write;

use super::relations::Relations;
use crate::{
    base::Result,
    catalog::{
        class::{
            PG_CLASS, PG_NAMESPACE, PG_PUBLICATION, PG_PUBLICATION_NAMESPACE, PG_PUBLICATION_REL, definition,
        },
        draft::{Context, Draft, Drafts, Section},
        rows::field,
        select::{Limits, within},
    },
    pg::{ServerVersion, ident},
};

/// `pubgencols` came with 18.
fn publications_query(version: ServerVersion) -> String {
    let generated = if version.major() >= 18 { "p.pubgencols = 's'" } else { "false" };
    format!(
        "SELECT p.oid, p.pubname::text AS name, pg_get_userbyid(p.pubowner)::text AS owner, p.puballtables, \
           p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot, {generated} AS generated \
         FROM pg_publication p"
    )
}

/// Column lists (`prattrs`) and row filters (`prqual`) came with 15.
fn tables_query(version: ServerVersion) -> String {
    let (columns, filter) = if version.major() >= 15 {
        (
            "CASE WHEN r.prattrs IS NOT NULL THEN ARRAY(SELECT a.attname::text \
               FROM unnest(r.prattrs::int2[]) WITH ORDINALITY AS u(number, place) \
               JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = u.number ORDER BY u.place) END",
            "pg_get_expr(r.prqual, r.prrelid)",
        )
    } else {
        ("NULL::text[]", "NULL::text")
    };
    format!(
        "SELECT r.oid, r.prpubid, r.prrelid, {columns} AS columns, {filter} AS filter FROM pg_publication_rel r WHERE {}",
        within("r.prrelid", 1, 2)
    )
}

/// `pg_publication_namespace` came with 15.
const SCHEMAS: &str = "
SELECT s.oid, s.pnpubid, s.pnnspid, n.nspname::text AS schema
FROM pg_publication_namespace s JOIN pg_namespace n ON n.oid = s.pnnspid";

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("publications", &publications_query(cx.version), &[]).await? {
        let key = definition(PG_PUBLICATION, field(&row, "oid")?);
        if cx.extension_members.contains(&key.id) || !cx.keeps(key.id) {
            continue;
        }
        let name: String = field(&row, "name")?;
        let sql = ident(&name);
        let all = if field(&row, "puballtables")? { " FOR ALL TABLES" } else { "" };
        let mut published = Vec::new();
        for (word, column) in [
            ("insert", "pubinsert"),
            ("update", "pubupdate"),
            ("delete", "pubdelete"),
            ("truncate", "pubtruncate"),
        ] {
            if field(&row, column)? {
                published.push(word);
            }
        }
        let mut definition =
            format!("CREATE PUBLICATION {sql}{all} WITH (publish = '{}'", published.join(", "));
        if field(&row, "pubviaroot")? {
            definition.push_str(", publish_via_partition_root = true");
        }
        if field(&row, "generated")? {
            definition.push_str(", publish_generated_columns = stored");
        }
        definition.push_str(");\n");
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition,
            drop: format!("DROP PUBLICATION {sql};\n"),
            ..Draft::blank(key, "PUBLICATION", Section::PostData, name)
        });
    }
    tables(cx, relations, out).await?;
    if cx.version.major() >= 15 {
        schemas(cx, out).await?;
    }
    Ok(())
}

/// Tables of extensions stay out, as in pg_dump.
async fn tables(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let Limits { only, but } = cx.limits(PG_CLASS);
    for row in cx.rows("published tables", &tables_query(cx.version), &[&only, &but]).await? {
        let publication = definition(PG_PUBLICATION, field(&row, "prpubid")?);
        let Some(publication) = out.entries.get(&publication) else { continue };
        let Some(table) = relations.get(field(&row, "prrelid")?) else {
            if let Some(table) = relations.known(field(&row, "prrelid")?) {
                let told = format!(
                    "table {} is not in the backup's publication {}: it belongs to an extension",
                    table.sql(),
                    publication.tag
                );
                out.warnings.push(told);
            }
            continue;
        };
        let mut sql = format!("ALTER PUBLICATION {} ADD TABLE ONLY {}", ident(&publication.tag), table.sql());
        if let Some(columns) = field::<Option<Vec<String>>>(&row, "columns")? {
            let columns: Vec<String> = columns.iter().map(|c| ident(c)).collect();
            let _ = write!(sql, " ({})", columns.join(", "));
        }
        if let Some(filter) = field::<Option<&str>>(&row, "filter")? {
            let _ = write!(sql, " WHERE ({filter})");
        }
        let draft = Draft {
            namespace: Some(table.schema.clone()),
            owner: publication.owner.clone(),
            definition: format!("{sql};\n"),
            sort_name: format!("{}\0{}", table.name, publication.tag),
            ..Draft::blank(
                definition(PG_PUBLICATION_REL, field(&row, "oid")?),
                "PUBLICATION TABLE",
                Section::PostData,
                format!("{} {}", publication.tag, table.name),
            )
        };
        out.add(draft);
    }
    Ok(())
}

/// A schema that has no entry is there all the same if it is `public`.
async fn schemas(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("published schemas", SCHEMAS, &[]).await? {
        let publication = definition(PG_PUBLICATION, field(&row, "pnpubid")?);
        let Some(publication) = out.entries.get(&publication) else { continue };
        let schema: &str = field(&row, "schema")?;
        let of_schema = definition(PG_NAMESPACE, field(&row, "pnnspid")?);
        let draft = Draft {
            namespace: Some(schema.to_owned()),
            owner: publication.owner.clone(),
            definition: format!(
                "ALTER PUBLICATION {} ADD TABLES IN SCHEMA {};\n",
                ident(&publication.tag),
                ident(schema)
            ),
            depends: [of_schema].into(),
            sort_name: format!("{schema}\0{}", publication.tag),
            ..Draft::blank(
                definition(PG_PUBLICATION_NAMESPACE, field(&row, "oid")?),
                "PUBLICATION TABLES IN SCHEMA",
                Section::PostData,
                format!("{} {schema}", publication.tag),
            )
        };
        out.add(draft);
    }
    Ok(())
}
