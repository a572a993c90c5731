//! BLOB entries, one per large object, and the BLOBS entry with their bytes: the layout of archive versions up to 1.15 (pg_dump 16).

use crate::{
    base::Result,
    catalog::{
        class::{PG_LARGEOBJECT, definition},
        draft::{Context, DataSource, Draft, Drafts, Key, Part, Section},
        rows::field,
    },
};

const LARGE_OBJECTS: &str = "
SELECT oid, pg_get_userbyid(lomowner)::text AS owner FROM pg_largeobject_metadata ORDER BY oid";

/// Adds the large objects.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let mut oids = Vec::new();
    for row in cx.rows("large objects", LARGE_OBJECTS, &[]).await? {
        let oid: u32 = field(&row, "oid")?;
        oids.push(oid);
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition: format!("SELECT pg_catalog.lo_create('{oid}');\n"),
            drop: format!("SELECT pg_catalog.lo_unlink('{oid}');\n"),
            ..Draft::blank(definition(PG_LARGEOBJECT, oid), "BLOB", Section::PreData, oid.to_string())
        });
    }
    if !oids.is_empty() {
        let key = Key { part: Part::Data, ..definition(PG_LARGEOBJECT, 0) };
        out.add(Draft {
            data: Some(DataSource::LargeObjects(oids)),
            ..Draft::blank(key, "BLOBS", Section::Data, "BLOBS".to_owned())
        });
    }
    Ok(())
}
