//! Relations as all of their kinds share them: `pg_class` rows with their columns, defaults, parents.
//!
//! The counterpart of pg_dump's `getTables`, `getTableAttrs` and `flagInhAttrs`.

use std::collections::{BTreeMap, HashMap};

use super::columns::{self, Column};
use crate::{
    base::Result,
    catalog::{
        class::PG_CLASS,
        draft::{CatalogId, Context, Draft, Key, Section},
        rows::{field, letter},
        select::{Limits, within},
    },
    pg::{ServerVersion, ident, literal, qualified},
};

/// One table, foreign table, view, materialized view or sequence.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    pub owner: String,
    /// `pg_class.relkind`.
    pub kind: char,
    /// `pg_class.relpersistence`.
    pub persistence: char,
    /// Composite type of a typed table, formatted.
    pub of_type: Option<String>,
    pub options: Vec<String>,
    pub toast_options: Vec<String>,
    /// `LOCAL` or `CASCADED` of views.
    pub check_option: Option<&'static str>,
    /// Empty for the database's default.
    pub tablespace: String,
    pub access_method: Option<String>,
    pub is_partition: bool,
    pub replica_identity: char,
    pub row_security: bool,
    pub force_row_security: bool,
    pub populated: bool,
    pub filenode: u32,
    pub partition_key: Option<String>,
    pub partition_bound: Option<String>,
    /// Query of a view without its semicolon.
    pub query: Option<String>,
    /// Rows would land in other partitions after a restore: hash partitioning on an enum (its hash is made of oids).
    pub unsafe_partitions: bool,
    /// Whether it gets entries; the others are only known as parents.
    pub archived: bool,
    pub parents: Vec<u32>,
    /// Server of a foreign table.
    pub server: Option<String>,
    /// Options of a foreign table, as they stand between the parentheses.
    pub server_options: String,
    pub columns: Vec<Column>,
}

impl Relation {
    /// `schema.name`, quoted.
    pub fn sql(&self) -> String {
        qualified(&self.schema, &self.name)
    }

    pub fn id(&self) -> CatalogId {
        CatalogId::relation(self.oid)
    }

    /// `ALTER TABLE`, or what takes its place.
    pub fn alter(&self) -> &'static str {
        if self.kind == 'f' { "ALTER FOREIGN TABLE" } else { "ALTER TABLE" }
    }

    pub fn column(&self, number: i16) -> Option<&Column> {
        self.columns.iter().find(|c| c.number == number)
    }

    /// Whether CREATE TABLE names the column: inherited ones come from the parent, but partitions are made on their own and attached.
    pub fn prints(&self, column: &Column) -> bool {
        column.is_local || self.is_partition
    }

    /// A draft of an entry of this relation, in its schema, by its owner.
    pub fn draft(&self, key: Key, desc: &'static str, section: Section, tag: String) -> Draft {
        Draft {
            namespace: Some(self.schema.clone()),
            owner: self.owner.clone(),
            ..Draft::blank(key, desc, section, tag)
        }
    }

    /// As `draft`, for an object that belongs to this relation and has a name of its own.
    pub fn member(&self, id: CatalogId, desc: &'static str, section: Section, name: &str) -> Draft {
        let mut draft = self.draft(id.definition(), desc, section, format!("{} {name}", self.name));
        // pg_dump sorts by the object's own name first, then by the table's (DOTypeNameCompare).
        draft.sort_name = format!("{name}\0{}", self.name);
        draft
    }
}

/// All relations of the database that are archived, and their parents.
#[derive(Debug)]
pub(crate) struct Relations {
    version: ServerVersion,
    by_oid: BTreeMap<u32, Relation>,
    /// Partitioned table to its own partitions.
    partitions: HashMap<u32, Vec<u32>>,
}

const RELATIONS: &str = "SELECT c.oid, c.relname, c.relnamespace, n.nspname, c.relkind, c.relpersistence, c.relowner, \
       CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of_type, \
       coalesce(c.reloptions, '{}') AS options, coalesce(tc.reloptions, '{}') AS toast_options, \
       coalesce(tsp.spcname, '') AS tablespace, am.amname, c.relispartition, c.relreplident, \
       c.relrowsecurity, c.relforcerowsecurity, c.relispopulated, c.relfilenode, \
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key, \
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS partition_bound, \
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS query, fs.srvname AS server, \
       CASE WHEN ft.ftrelid IS NOT NULL THEN array_to_string(ARRAY( \
         SELECT quote_ident(option_name) || ' ' || quote_literal(option_value) FROM pg_options_to_table(ft.ftoptions) \
         ORDER BY option_name), E',\\n    ') END AS server_options \
     FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid AND tc.relkind = 't' AND c.relkind <> 'p' \
     LEFT JOIN pg_tablespace tsp ON tsp.oid = c.reltablespace \
     LEFT JOIN pg_am am ON am.oid = c.relam \
     LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid \
     LEFT JOIN pg_foreign_server fs ON fs.oid = ft.ftserver \
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't' \
       AND (c.relnamespace = ANY ($1) OR c.oid IN (SELECT inhparent FROM pg_inherits)) AND ";

const PARENTS: &str = "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno";

/// As pg_dump's `getPartitioningInfo`.
const UNSAFE_PARTITIONS: &str = "SELECT partrelid FROM pg_partitioned_table WHERE \
     (SELECT c.oid FROM pg_opclass c JOIN pg_am a ON c.opcmethod = a.oid WHERE c.opcname = 'enum_ops' \
        AND c.opcnamespace = 'pg_catalog'::regnamespace AND a.amname = 'hash') = ANY (partclass)";

impl Relations {
    pub async fn load(cx: &Context<'_>) -> Result<Self> {
        let schemas: Vec<u32> = cx.namespaces.keys().copied().collect();
        let mut by_oid = BTreeMap::new();
        let Limits { only, but } = cx.limits(PG_CLASS);
        // What is kept needs none of the others, not even to know them.
        let query = format!("{RELATIONS}{} ORDER BY c.oid", within("c.oid", 2, 3));
        for row in cx.rows("relations", &query, &[&schemas, &only, &but]).await? {
            let relation = read(cx, &row)?;
            by_oid.insert(relation.oid, relation);
        }
        for row in cx.rows("inheritance", PARENTS, &[]).await? {
            if let Some(child) = by_oid.get_mut(&field::<u32>(&row, "inhrelid")?) {
                child.parents.push(field(&row, "inhparent")?);
            }
        }
        for row in cx.rows("partitioning", UNSAFE_PARTITIONS, &[]).await? {
            if let Some(table) = by_oid.get_mut(&field::<u32>(&row, "partrelid")?) {
                table.unsafe_partitions = true;
            }
        }
        let oids: Vec<u32> = by_oid.values().filter(|r| r.kind != 'S').map(|r| r.oid).collect();
        let mut columns: HashMap<u32, Vec<Column>> = columns::load(cx, &oids).await?;
        for relation in by_oid.values_mut() {
            relation.columns = columns.remove(&relation.oid).unwrap_or_default();
        }
        let mut partitions: HashMap<u32, Vec<u32>> = HashMap::new();
        for relation in by_oid.values().filter(|r| r.is_partition) {
            for parent in &relation.parents {
                partitions.entry(*parent).or_default().push(relation.oid);
            }
        }
        let mut relations = Self { version: cx.version, by_oid, partitions };
        columns::flag_inherited(&mut relations, cx.version);
        Ok(relations)
    }

    /// The server's version.
    pub fn version(&self) -> ServerVersion {
        self.version
    }

    /// Those that get entries, by oid.
    pub fn archived(&self) -> impl Iterator<Item = &Relation> {
        self.by_oid.values().filter(|r| r.archived)
    }

    /// Oids of those that get entries and can have indexes, constraints, triggers, rules.
    pub fn archived_oids(&self) -> Vec<u32> {
        self.archived().filter(|r| r.kind != 'S').map(|r| r.oid).collect()
    }

    /// The relation, if it gets entries.
    pub fn get(&self, oid: u32) -> Option<&Relation> {
        self.by_oid.get(&oid).filter(|r| r.archived)
    }

    /// The relation, whether it gets entries or not.
    pub fn known(&self, oid: u32) -> Option<&Relation> {
        self.by_oid.get(&oid)
    }

    pub fn all_mut(&mut self) -> &mut BTreeMap<u32, Relation> {
        &mut self.by_oid
    }

    /// The topmost partitioned table a partition belongs to.
    pub fn partition_root<'a>(&'a self, relation: &'a Relation) -> &'a Relation {
        let mut top = relation;
        while top.is_partition {
            match top.parents.first().and_then(|p| self.known(*p)) {
                Some(parent) => top = parent,
                None => break,
            }
        }
        top
    }

    /// All partitions below a partitioned table, on every level.
    pub fn partitions_below(&self, table: u32) -> Vec<&Relation> {
        let mut below: Vec<&Relation> = Vec::new();
        let mut open = vec![table];
        while let Some(parent) = open.pop() {
            for child in self.partitions.get(&parent).into_iter().flatten() {
                below.extend(self.get(*child));
                open.push(*child);
            }
        }
        below
    }

    /// Whether rows of this partition must be loaded through the root (pg_dump's `forcePartitionRootLoad`).
    pub fn loads_through_root(&self, relation: &Relation) -> bool {
        let mut table = relation;
        while table.is_partition {
            match table.parents.first().and_then(|p| self.known(*p)) {
                Some(parent) if parent.unsafe_partitions => return true,
                Some(parent) => table = parent,
                None => break,
            }
        }
        false
    }
}

fn read(cx: &Context<'_>, row: &tokio_postgres::Row) -> Result<Relation> {
    let oid: u32 = field(row, "oid")?;
    let mut options: Vec<String> = field(row, "options")?;
    let mut check_option = None;
    options.retain(|option| match option.as_str() {
        "check_option=local" => {
            check_option = Some("LOCAL");
            false
        }
        "check_option=cascaded" => {
            check_option = Some("CASCADED");
            false
        }
        _ => true,
    });
    let query: Option<String> = field(row, "query")?;
    Ok(Relation {
        oid,
        schema: field(row, "nspname")?,
        name: field(row, "relname")?,
        owner: cx.role(field(row, "relowner")?),
        kind: letter(row, "relkind")?,
        persistence: letter(row, "relpersistence")?,
        of_type: field(row, "of_type")?,
        options,
        toast_options: field(row, "toast_options")?,
        check_option,
        tablespace: field(row, "tablespace")?,
        access_method: field(row, "amname")?,
        is_partition: field(row, "relispartition")?,
        replica_identity: letter(row, "relreplident")?,
        row_security: field(row, "relrowsecurity")?,
        force_row_security: field(row, "relforcerowsecurity")?,
        populated: field(row, "relispopulated")?,
        filenode: field(row, "relfilenode")?,
        partition_key: field(row, "partition_key")?,
        partition_bound: field(row, "partition_bound")?,
        query: query.map(|q| q.strip_suffix(';').map(str::to_owned).unwrap_or(q)),
        unsafe_partitions: false,
        archived: cx.namespaces.contains_key(&field(row, "relnamespace")?)
            && !cx.extension_members.contains(&CatalogId::relation(oid)),
        parents: Vec::new(),
        server: field(row, "server")?,
        server_options: field::<Option<_>>(row, "server_options")?.unwrap_or_default(),
        columns: Vec::new(),
    })
}

/// `name=value, …` of a WITH clause, as `appendReloptionsArray` of PostgreSQL's fe_utils writes it.
pub(crate) fn options_sql(options: &[String], prefix: &str) -> String {
    let written: Vec<String> = options
        .iter()
        .map(|option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = if ident(value) == value { value.to_owned() } else { literal(value) };
            format!("{prefix}{}={value}", ident(name))
        })
        .collect();
    written.join(", ")
}

#[cfg(test)]
mod tests {
    use super::options_sql;

    #[test]
    fn options_are_quoted_only_where_they_must_be() {
        let options =
            ["fillfactor=70", "autovacuum_enabled=false", "buffering=auto", "x=it's"].map(str::to_owned);
        assert_eq!(
            options_sql(&options, ""),
            "fillfactor='70', autovacuum_enabled='false', buffering=auto, x='it''s'"
        );
        assert_eq!(options_sql(&options[..1], "toast."), "toast.fillfactor='70'");
    }
}
