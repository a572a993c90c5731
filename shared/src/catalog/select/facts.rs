//! What a choice is made from: relations, what belongs to what, and what needs what.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    base::Result,
    catalog::{
        class::{PG_CLASS, PG_CONSTRAINT, PG_TRIGGER},
        dependencies,
        draft::{CatalogId, Context},
        rows::{field, letter},
    },
};

/// One relation of a user's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    pub schema: String,
    pub name: String,
    /// `pg_class.relkind`: one of `r`, `p`, `f`, `v`, `m`, `S`.
    pub kind: char,
    /// It comes with an extension.
    pub member: bool,
    /// It comes with an extension, and its rows or its value are the user's.
    pub configured: bool,
}

/// What an object belongs to: it is left out with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Belongs {
    pub to: CatalogId,
    /// The other cannot be without it: a view without its query, a column without the expression that generates it.
    pub vital: bool,
}

/// One foreign key, those that partitions inherit left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub id: CatalogId,
    pub table: u32,
    pub referenced: u32,
    /// Whether a restore checks the rows that are there.
    pub validated: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub relations: BTreeMap<u32, Relation>,
    pub belongs: HashMap<CatalogId, Belongs>,
    /// What each object needs, by `pg_depend`. Foreign keys and sequences that columns own name what they belong to elsewhere, and stand for
    /// nothing here.
    pub needs: HashMap<CatalogId, Vec<CatalogId>>,
    /// Parent to its children; of partitioned tables to its partitions.
    pub children: HashMap<u32, Vec<u32>>,
    pub foreign_keys: Vec<ForeignKey>,
    /// Members of extensions and their extension.
    pub member_of: HashMap<CatalogId, CatalogId>,
    /// Sequence to the table with the column that owns it, and whether it is of an identity column.
    pub owned: HashMap<u32, (u32, bool)>,
    pub large_objects: u64,
}

const RELATIONS: &str = "SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind, \
       EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)) AS configured \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't' AND c.relnamespace = ANY ($1)";

const INHERITANCE: &str =
    "SELECT inhparent AS parent, inhrelid AS child FROM pg_inherits ORDER BY inhparent, inhrelid";

/// A user mapping's catalog holds secrets; its view shows what is asked for here to everybody.
const BELONGINGS: &str = "\
     SELECT 'pg_class'::regclass::oid AS class, indexrelid AS oid, 'pg_class'::regclass::oid AS of_class, indrelid AS of, false AS vital FROM pg_index \
     UNION ALL SELECT 'pg_constraint'::regclass, oid, 'pg_class'::regclass, conrelid, false FROM pg_constraint WHERE conrelid <> 0 \
     UNION ALL SELECT 'pg_constraint'::regclass, oid, 'pg_type'::regclass, contypid, false FROM pg_constraint WHERE contypid <> 0 \
     UNION ALL SELECT 'pg_trigger'::regclass, oid, 'pg_class'::regclass, tgrelid, false FROM pg_trigger \
     UNION ALL SELECT 'pg_rewrite'::regclass, oid, 'pg_class'::regclass, ev_class, ev_type = '1' FROM pg_rewrite \
     UNION ALL SELECT 'pg_policy'::regclass, oid, 'pg_class'::regclass, polrelid, false FROM pg_policy \
     UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, 'pg_class'::regclass, d.adrelid, a.attgenerated <> '' \
       FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
     UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, 'pg_class'::regclass, stxrelid, false FROM pg_statistic_ext \
     UNION ALL SELECT 'pg_publication_rel'::regclass, oid, 'pg_class'::regclass, prrelid, false FROM pg_publication_rel \
     UNION ALL SELECT 'pg_user_mapping'::regclass, umid, 'pg_foreign_server'::regclass, srvid, false FROM pg_user_mappings";

/// What implements another object: array and row types, multiranges, constructors of ranges, TOAST, columns of composite types.
const IMPLEMENTS: &str = "SELECT classid AS class, objid AS oid, refclassid AS of_class, refobjid AS of FROM pg_depend \
     WHERE deptype = 'i' AND objid >= 16384 \
       AND classid IN ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_class'::regclass, 'pg_amop'::regclass, 'pg_amproc'::regclass)";

/// The columns of a composite type hang on its row of `pg_class`, and nothing says that the type needs it.
const COMPOSITES: &str = "SELECT oid, reltype FROM pg_class WHERE relkind = 'c' AND oid >= 16384";

const OWNED: &str = "SELECT d.objid AS sequence, d.refobjid AS of, d.deptype = 'i' AS identity \
     FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' \
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 \
       AND d.deptype IN ('a', 'i')";

const FOREIGN_KEYS: &str = "SELECT oid, conrelid, confrelid, convalidated, conparentid <> 0 AS inherited FROM pg_constraint WHERE contype = 'f'";

/// Triggers that enforce foreign keys: they stand on both tables.
const ENFORCERS: &str =
    "SELECT t.oid FROM pg_trigger t JOIN pg_constraint c ON c.oid = t.tgconstraint WHERE c.contype = 'f'";

const LARGE_OBJECTS: &str = "SELECT count(*) AS count FROM pg_largeobject_metadata";

/// Reads them; from catalogs only.
pub(super) async fn load(cx: &Context<'_>) -> Result<Facts> {
    let mut facts = Facts { member_of: dependencies::extensions_of_members(cx).await?, ..Facts::default() };
    let schemas: Vec<u32> = cx.namespaces.keys().copied().collect();
    for row in cx.rows("relations", RELATIONS, &[&schemas]).await? {
        let oid: u32 = field(&row, "oid")?;
        let member = facts.member_of.contains_key(&CatalogId::relation(oid));
        let relation = Relation {
            schema: field(&row, "schema")?,
            name: field(&row, "name")?,
            kind: letter(&row, "relkind")?,
            member,
            configured: member && field(&row, "configured")?,
        };
        facts.relations.insert(oid, relation);
    }
    for row in cx.rows("inheritance", INHERITANCE, &[]).await? {
        let (parent, child): (u32, u32) = (field(&row, "parent")?, field(&row, "child")?);
        // Indexes inherit as well.
        if facts.relations.contains_key(&child) {
            facts.children.entry(parent).or_default().push(child);
        }
    }
    for row in cx.rows("owners of sequences", OWNED, &[]).await? {
        let (sequence, table): (u32, u32) = (field(&row, "sequence")?, field(&row, "of")?);
        facts.owned.insert(sequence, (table, field(&row, "identity")?));
        let belongs = Belongs { to: CatalogId::relation(table), vital: false };
        facts.belongs.insert(CatalogId::relation(sequence), belongs);
    }
    let mut apart: HashSet<CatalogId> = HashSet::new();
    for row in cx.rows("foreign keys", FOREIGN_KEYS, &[]).await? {
        let id = CatalogId { class: PG_CONSTRAINT, oid: field(&row, "oid")? };
        apart.insert(id);
        if !field::<bool>(&row, "inherited")? {
            facts.foreign_keys.push(ForeignKey {
                id,
                table: field(&row, "conrelid")?,
                referenced: field(&row, "confrelid")?,
                validated: field(&row, "convalidated")?,
            });
        }
    }
    facts.foreign_keys.sort_by_key(|k| k.id);
    let mut enforcers: HashSet<CatalogId> = HashSet::new();
    for row in cx.rows("triggers of foreign keys", ENFORCERS, &[]).await? {
        enforcers.insert(CatalogId { class: PG_TRIGGER, oid: field(&row, "oid")? });
    }
    for sql in [BELONGINGS, IMPLEMENTS] {
        for row in cx.rows("what belongs to what", sql, &[]).await? {
            let id = CatalogId { class: field(&row, "class")?, oid: field(&row, "oid")? };
            if enforcers.contains(&id) {
                continue;
            }
            let to = CatalogId { class: field(&row, "of_class")?, oid: field(&row, "of")? };
            let vital = sql == BELONGINGS && field(&row, "vital")?;
            facts.belongs.entry(id).or_insert(Belongs { to, vital });
        }
    }
    let owns = |from: &CatalogId, to: &CatalogId| {
        let owner = facts.owned.get(&from.oid).filter(|_| from.class == PG_CLASS);
        owner.is_some_and(|(table, identity)| !identity && *to == CatalogId::relation(*table))
    };
    let mut needs: HashMap<CatalogId, Vec<CatalogId>> = HashMap::new();
    for (from, to) in dependencies::load(cx).await? {
        let aside = apart.contains(&from) || enforcers.contains(&from) || owns(&from, &to);
        if !aside {
            needs.entry(from).or_default().push(to);
        }
    }
    for row in cx.rows("composite types", COMPOSITES, &[]).await? {
        let id = CatalogId { class: crate::catalog::class::PG_TYPE, oid: field(&row, "reltype")? };
        needs.entry(id).or_default().push(CatalogId::relation(field(&row, "oid")?));
    }
    facts.needs = needs;
    for row in cx.rows("large objects", LARGE_OBJECTS, &[]).await? {
        facts.large_objects = u64::try_from(field::<i64>(&row, "count")?).unwrap_or(0);
    }
    Ok(facts)
}
