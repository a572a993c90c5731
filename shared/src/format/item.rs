//! One object of a database, and the rows of one table, as the documents of this room describe them.

use serde::{Deserialize, Serialize};

/// An object: an entry of an archive's table of contents, field by field, with words for numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Number in the document, from 1, unique.
    pub id: i32,
    /// Kind, such as `TABLE` or `FK CONSTRAINT`.
    pub kind: String,
    /// Name, such as `users` or `users users_pkey`.
    pub name: String,
    /// Schema, unquoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Owner, unquoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// `none`, `pre-data`, `data` or `post-data`.
    pub section: String,
    /// SQL that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// SQL that drops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop: Option<String>,
    /// `COPY … FROM stdin;` of a table's rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// Tablespace, unquoted; empty for the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<String>,
    /// Table access method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_method: Option<String>,
    /// `pg_class.relkind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relkind: Option<char>,
    /// Ids of what must be there before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<i32>,
    /// Oid of its catalog, 0 for none.
    #[serde(default)]
    pub catalog: u32,
    /// Its oid, 0 for none.
    #[serde(default)]
    pub oid: u32,
    /// Whether it has rows, or large objects, in the document.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub data: bool,
}

/// A column that rows have a value for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name, unquoted.
    pub name: String,
    /// Type as `format_type` writes it; empty where it is not known.
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    pub type_name: String,
}

/// Whose rows follow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Id of the item that the rows are.
    pub entry: i32,
    /// Schema, unquoted.
    pub schema: String,
    /// Table, unquoted.
    pub table: String,
    /// The columns, in the order of the values.
    pub columns: Vec<Column>,
}
