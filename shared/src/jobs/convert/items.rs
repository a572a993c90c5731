//! An archive's entry as an item of a document, and back: the two rooms do not know each other.

use crate::{
    archive::toc::{Entry, Section},
    base::{Error, Kind, Result},
    format::{self, Item},
};

const SECTIONS: [(Section, &str); 4] = [
    (Section::None, "none"),
    (Section::PreData, "pre-data"),
    (Section::Data, "data"),
    (Section::PostData, "post-data"),
];

/// The item of an entry.
pub(super) fn item(e: &Entry) -> Item {
    let section = SECTIONS.iter().find(|(s, _)| *s == e.section).map_or("none", |(_, name)| name);
    Item {
        id: e.dump_id,
        kind: e.desc.clone(),
        name: e.tag.clone(),
        schema: e.namespace.clone(),
        owner: e.owner.clone(),
        section: section.to_owned(),
        definition: e.defn.clone(),
        drop: e.drop_stmt.clone(),
        copy: e.copy_stmt.clone(),
        tablespace: e.tablespace.clone(),
        access_method: e.table_am.clone(),
        relkind: e.relkind,
        after: e.dependencies.clone(),
        catalog: e.table_oid,
        oid: e.oid,
        data: e.had_dumper,
    }
}

/// The entry of an item; `file` names its file, where it has data.
///
/// # Errors
/// [`Kind::Corrupt`] for what an archive cannot hold.
pub(super) fn entry(i: Item, file: Option<String>) -> Result<Entry> {
    let section = SECTIONS.iter().find(|(_, name)| *name == i.section).map(|(s, _)| *s);
    let (Some(section), true) = (section, i.id > 0) else {
        let why = format!("the document's entry {} has an unknown section, or no id", i.id);
        return Err(Error::new(Kind::Corrupt, why));
    };
    Ok(Entry {
        dump_id: i.id,
        had_dumper: i.data,
        table_oid: i.catalog,
        oid: i.oid,
        tag: i.name,
        desc: i.kind,
        section,
        defn: i.definition,
        drop_stmt: i.drop,
        copy_stmt: i.copy,
        namespace: i.schema,
        tablespace: i.tablespace,
        table_am: i.access_method,
        relkind: i.relkind,
        owner: i.owner,
        dependencies: i.after,
        file,
    })
}

/// Whose rows an entry's are.
pub(super) fn rows(e: &Entry, columns: &[crate::archive::manifest::Column]) -> format::Rows {
    format::Rows {
        entry: e.dump_id,
        schema: e.namespace.clone().unwrap_or_default(),
        table: e.tag.clone(),
        columns: columns.iter().map(column).collect(),
    }
}

/// A column for the formats.
pub(super) fn column(c: &crate::archive::manifest::Column) -> format::Column {
    format::Column { name: c.name.clone(), type_name: c.type_name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_as_it_was() {
        let e = Entry {
            dump_id: 7,
            had_dumper: true,
            table_oid: 1259,
            oid: 16400,
            tag: "t".into(),
            desc: "TABLE DATA".into(),
            section: Section::Data,
            defn: Some(String::new()),
            drop_stmt: None,
            copy_stmt: Some("COPY t FROM stdin;\n".into()),
            namespace: Some("s".into()),
            tablespace: Some(String::new()),
            table_am: Some("heap".into()),
            relkind: Some('r'),
            owner: Some("o".into()),
            dependencies: vec![1, 2],
            file: Some("7.dat".into()),
        };
        assert_eq!(entry(item(&e), e.file.clone()).unwrap(), e);
        assert!(entry(Item { section: "data".into(), ..Item::default() }, None).is_err());
        assert!(entry(Item { id: 1, section: "x".into(), ..Item::default() }, None).is_err());
    }
}
