//! From the catalog's entries to the archive's: the two rooms do not know each other.

use std::collections::BTreeMap;

use crate::{
    archive::{
        manifest::{self, Column, Counted},
        toc,
    },
    catalog::{Catalog, DataSource, DatabaseProperties, Entry, Section, Selection, select::Pattern},
    jobs::convert::Columns,
};

/// The name of the list of large objects, as archives before version 1.16 have it: one for all.
pub(super) const BLOBS: &str = "blobs.toc";

/// The data file of an entry, without the codec's suffix; none for entries without data.
pub(super) fn file(entry: &Entry) -> Option<String> {
    entry.data.as_ref().map(|data| match data {
        DataSource::Table(_) => format!("{}.dat", entry.dump_id),
        DataSource::LargeObjects(_) => BLOBS.to_owned(),
    })
}

/// All entries, in their order.
pub(super) fn of(catalog: &Catalog) -> Vec<toc::Entry> {
    catalog.entries.iter().map(entry).collect()
}

fn entry(e: &Entry) -> toc::Entry {
    toc::Entry {
        dump_id: e.dump_id,
        had_dumper: e.data.is_some(),
        table_oid: e.catalog_id.class,
        oid: e.catalog_id.oid,
        tag: e.tag.clone(),
        desc: e.desc.to_owned(),
        section: match e.section {
            Section::None => toc::Section::None,
            Section::PreData => toc::Section::PreData,
            Section::Data => toc::Section::Data,
            Section::PostData => toc::Section::PostData,
        },
        defn: Some(e.definition.clone()),
        drop_stmt: Some(e.drop.clone()),
        copy_stmt: e.copy.clone(),
        namespace: e.namespace.clone(),
        tablespace: e.tablespace.clone(),
        table_am: e.table_am.clone(),
        relkind: e.relkind,
        owner: Some(e.owner.clone()),
        dependencies: e.dependencies.clone(),
        file: file(e),
    }
}

/// The columns of all rows, by the dump id of their entry.
pub(super) fn columns(catalog: &Catalog) -> Columns {
    let column =
        |(name, type_name): &(String, String)| Column { name: name.clone(), type_name: type_name.clone() };
    let of = |e: &Entry| match &e.data {
        Some(DataSource::Table(source)) => Some((e.dump_id, source.typed.iter().map(column).collect())),
        _ => None,
    };
    catalog.entries.iter().filter_map(of).collect()
}

/// The census for the manifest.
pub(super) fn census(catalog: &Catalog) -> BTreeMap<String, Counted> {
    let of = |c: &crate::catalog::Counted| Counted { objects: c.objects, archived: c.archived };
    catalog.census.iter().map(|c| (c.catalog.clone(), of(c))).collect()
}

/// The selection for the manifest.
pub(super) fn selection(selection: &Selection) -> manifest::Selection {
    let texts = |patterns: &[Pattern]| patterns.iter().map(|p| p.text().to_owned()).collect();
    manifest::Selection {
        tables: texts(&selection.tables),
        exclude_tables: texts(&selection.exclude_tables),
        exclude_data: texts(&selection.exclude_data),
        include_schema_only: selection.include_schema_only,
    }
}

/// What a restore into a database made anew takes over, under the names of CREATE DATABASE's options.
pub(super) fn locale(d: &DatabaseProperties) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([
        ("lc_collate".to_owned(), d.collate.clone()),
        ("lc_ctype".to_owned(), d.ctype.clone()),
        ("locale_provider".to_owned(), d.locale_provider.to_owned()),
    ]);
    let optional = [("locale", &d.locale), ("icu_rules", &d.icu_rules)];
    all.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
    all
}
