//! SEQUENCE, SEQUENCE OWNED BY and SEQUENCE SET. Identity columns get their sequence through ALTER TABLE … ADD GENERATED.
//!
//! The counterpart of pg_dump's `dumpSequence` and `dumpSequenceData`.

use std::collections::HashMap;
use std::fmt::Write;

use super::relations::{Relation, Relations};
use crate::{
    base::{Error, Kind, Result},
    catalog::{
        draft::{Context, Draft, Drafts, Part, Section},
        rows::{field, letter},
    },
    pg::{ident, literal, qualified},
};

/// A `pg_sequence` row and the column that owns the sequence.
struct Sequence {
    oid: u32,
    type_name: String,
    start: i64,
    increment: i64,
    max: i64,
    min: i64,
    cache: i64,
    cycle: bool,
    /// Table and column number.
    owner: Option<(u32, i16)>,
    /// Part of an identity column, not merely owned by it.
    identity: bool,
}

const SEQUENCES: &str = "SELECT s.seqrelid, format_type(s.seqtypid, NULL) AS type_name, \
       s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle, \
       d.refobjid AS owner_table, d.refobjsubid::int2 AS owner_column, coalesce(d.deptype, ' ') AS deptype \
     FROM unnest($1::oid[]) AS src(relid) \
     JOIN pg_sequence s ON s.seqrelid = src.relid \
     LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.objsubid = 0 \
       AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') \
     ORDER BY s.seqrelid";

/// `pg_get_sequence_data` came with 18; before it every sequence is read as a relation, many in one statement.
const VALUES_18: &str = "SELECT src.relid, v.last_value, v.is_called \
     FROM unnest($1::oid[]) AS src(relid), pg_get_sequence_data(src.relid) v";

/// How many sequences one statement reads on servers before 18.
const VALUES_BATCH: usize = 500;

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let all: Vec<&Relation> = relations.archived().filter(|r| r.kind == 'S').collect();
    let oids: Vec<u32> = all.iter().map(|r| r.oid).collect();
    // The value of one that is left out need not be readable.
    let valued = |r: &&Relation| cx.choice.is_none_or(|choice| choice.is_full(r.oid));
    let with_value: Vec<&Relation> = all.iter().copied().filter(valued).collect();
    let values = values(cx, &with_value).await?;
    for row in cx.rows("sequences", SEQUENCES, &[&oids]).await? {
        let sequence = read(&row)?;
        let Some(relation) = relations.get(sequence.oid) else { continue };
        let owner = sequence.owner.and_then(|(table, column)| {
            let table = relations.get(table)?;
            Some((table, table.column(column)?))
        });
        if sequence.identity && owner.is_none() {
            // An identity sequence of an extension's table, which comes with the extension.
            continue;
        }
        let mut draft =
            relation.draft(relation.id().definition(), "SEQUENCE", Section::PreData, relation.name.clone());
        draft.relkind = Some('S');
        match owner {
            Some((table, column)) if sequence.identity => {
                let generated = if column.identity == 'a' { "ALWAYS" } else { "BY DEFAULT" };
                let _ = write!(
                    draft.definition,
                    "ALTER TABLE {} ALTER COLUMN {} ADD GENERATED {generated} AS IDENTITY (\n    SEQUENCE NAME {}\n",
                    table.sql(),
                    ident(&column.name),
                    relation.sql()
                );
                // Before 15 every sequence is logged and there is no word for it.
                if relation.persistence != table.persistence && cx.version.major() >= 15 {
                    let logged = if relation.persistence == 'u' { "UNLOGGED" } else { "LOGGED" };
                    let _ = writeln!(draft.definition, "    {logged}");
                }
                draft.definition.push_str(&sequence.options());
                draft.definition.push_str("\n);\n");
            }
            _ => {
                let unlogged = if relation.persistence == 'u' { "UNLOGGED " } else { "" };
                let _ = writeln!(draft.definition, "CREATE {unlogged}SEQUENCE {}", relation.sql());
                if sequence.type_name != "bigint" {
                    let _ = writeln!(draft.definition, "    AS {}", sequence.type_name);
                }
                draft.definition.push_str(&sequence.options());
                draft.definition.push_str(";\n");
                draft.drop = format!("DROP SEQUENCE {};\n", relation.sql());
            }
        }
        out.add(draft);
        if let Some((table, column)) = owner.filter(|_| !sequence.identity) {
            owned_by(relation, table, &column.name, out);
        }
        if valued(&relation) {
            out.add(set(relation, values.get(&sequence.oid).copied())?);
        }
    }
    Ok(())
}

fn read(row: &tokio_postgres::Row) -> Result<Sequence> {
    let owner = match (field::<Option<u32>>(row, "owner_table")?, field::<Option<i16>>(row, "owner_column")?)
    {
        (Some(table), Some(column)) => Some((table, column)),
        _ => None,
    };
    Ok(Sequence {
        oid: field(row, "seqrelid")?,
        type_name: field(row, "type_name")?,
        start: field(row, "seqstart")?,
        increment: field(row, "seqincrement")?,
        max: field(row, "seqmax")?,
        min: field(row, "seqmin")?,
        cache: field(row, "seqcache")?,
        cycle: field(row, "seqcycle")?,
        owner,
        identity: letter(row, "deptype")? == 'i',
    })
}

impl Sequence {
    /// From START WITH to CYCLE; limits that are the type's own are not said.
    fn options(&self) -> String {
        let (type_min, type_max) = match self.type_name.as_str() {
            "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
            "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        let (usual_min, usual_max) = if self.increment >= 0 { (1, type_max) } else { (type_min, -1) };
        let limit = |word: &str, value: i64, usual: i64| {
            if value == usual { format!("    NO {word}\n") } else { format!("    {word} {value}\n") }
        };
        format!(
            "    START WITH {}\n    INCREMENT BY {}\n{}{}    CACHE {}{}",
            self.start,
            self.increment,
            limit("MINVALUE", self.min, usual_min),
            limit("MAXVALUE", self.max, usual_max),
            self.cache,
            if self.cycle { "\n    CYCLE" } else { "" }
        )
    }
}

fn owned_by(sequence: &Relation, table: &Relation, column: &str, out: &mut Drafts) {
    let key = sequence.id().part(Part::OwnedBy);
    let mut draft = sequence.draft(key, "SEQUENCE OWNED BY", Section::PreData, sequence.name.clone());
    draft.definition =
        format!("ALTER SEQUENCE {} OWNED BY {}.{};\n", sequence.sql(), table.sql(), ident(column));
    draft.depends.insert(sequence.id().definition());
    out.add(draft);
}

/// SEQUENCE SET.
pub(super) fn set(sequence: &Relation, value: Option<(i64, bool)>) -> Result<Draft> {
    let Some((last, called)) = value else {
        return Err(Error::new(
            Kind::Permission,
            format!("the value of sequence {} cannot be read: SELECT on it is missing", sequence.sql()),
        ));
    };
    let key = sequence.id().part(Part::Set);
    let mut draft = sequence.draft(key, "SEQUENCE SET", Section::Data, sequence.name.clone());
    draft.definition = format!("SELECT pg_catalog.setval({}, {last}, {called});\n", literal(&sequence.sql()));
    draft.depends.insert(sequence.id().definition());
    Ok(draft)
}

/// Last value and whether it was given out, of each that can be read.
pub(super) async fn values(cx: &Context<'_>, all: &[&Relation]) -> Result<HashMap<u32, (i64, bool)>> {
    let oids: Vec<u32> = all.iter().map(|r| r.oid).collect();
    let mut values = HashMap::new();
    let mut take = |found: Vec<tokio_postgres::Row>| -> Result<()> {
        for row in found {
            let value: (Option<i64>, Option<bool>) = (field(&row, "last_value")?, field(&row, "is_called")?);
            if let (Some(last), Some(called)) = value {
                values.insert(field(&row, "relid")?, (last, called));
            }
        }
        Ok(())
    };
    if cx.version.major() >= 18 {
        take(cx.rows("sequence values", VALUES_18, &[&oids]).await?)?;
    } else {
        for batch in all.chunks(VALUES_BATCH) {
            let reads: Vec<String> = batch
                .iter()
                .map(|s| {
                    let from = qualified(&s.schema, &s.name);
                    format!("SELECT {}::oid AS relid, last_value, is_called FROM {from}", s.oid)
                })
                .collect();
            take(cx.rows("sequence values", &reads.join("\nUNION ALL\n"), &[]).await?)?;
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::Sequence;

    #[test]
    fn limits_of_the_type_are_not_said() {
        let mut sequence = Sequence {
            oid: 1,
            type_name: "integer".to_owned(),
            start: 1,
            increment: 1,
            max: i64::from(i32::MAX),
            min: 1,
            cache: 1,
            cycle: false,
            owner: None,
            identity: false,
        };
        assert_eq!(
            sequence.options(),
            "    START WITH 1\n    INCREMENT BY 1\n    NO MINVALUE\n    NO MAXVALUE\n    CACHE 1"
        );
        sequence.increment = -2;
        sequence.max = -1;
        sequence.min = -10;
        sequence.cycle = true;
        assert!(sequence.options().contains("    MINVALUE -10\n    NO MAXVALUE\n    CACHE 1\n    CYCLE"));
    }
}
