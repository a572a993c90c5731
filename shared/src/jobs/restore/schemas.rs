//! `renameSchemas`: schemas get their new names in the last transaction, so that everything bound by oid follows; rows alone go straight to the
//! schema of the new name.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    plan::{named, shown},
    sql::{Kind as Token, replaced, tokens},
};
use crate::{
    archive::toc::{Entry, Toc},
    base::{Error, Kind, Result, ResultExt},
    catalog::select::nearest,
    pg::{Session, ident, literal, qualified},
};

/// New names by old ones.
pub(super) type Map = BTreeMap<String, String>;

/// Checks the map against the archive.
///
/// # Errors
/// [`Kind::InvalidInput`] with the field: an old name that the archive does not have, with what may have been meant, or a new one that it has.
pub(super) fn check(toc: &Toc, map: &Map) -> Result<()> {
    let own = of(toc);
    let refuse = |why| Err(Error::new(Kind::InvalidInput, why).at_field("renameSchemas"));
    for (old, new) in map {
        if !own.contains(old.as_str()) {
            let near = match nearest(old, own.iter().copied()).join(", ") {
                near if near.is_empty() => String::new(),
                near => format!("; did you mean {}?", shown(&near)),
            };
            return refuse(format!("the archive has no schema {}{near}", shown(old)));
        }
        if own.contains(new.as_str()) {
            return refuse(format!("the archive has a schema {} of its own", shown(new)));
        }
    }
    Ok(())
}

/// Names of all schemas that entries make or stand in.
fn of(toc: &Toc) -> BTreeSet<&str> {
    let made = toc.entries.iter().filter(|e| e.desc == "SCHEMA").map(|e| e.tag.as_str());
    let stood_in = toc.entries.iter().filter_map(|e| e.namespace.as_deref()).filter(|n| !n.is_empty());
    made.chain(stood_in).collect()
}

/// Checks the map against the target, where the schemas of the archive come first and are renamed last.
///
/// # Errors
/// [`Kind::Conflict`] for a new name that stands there, and for a schema there that is another role's.
pub(super) async fn may_rename(session: &Session, map: &Map) -> Result<()> {
    let (old, new): (Vec<&String>, Vec<&String>) = map.iter().unzip();
    let sql = "SELECT nspname::pg_catalog.text, nspname::pg_catalog.text = ANY($2) FROM pg_catalog.pg_namespace \
               WHERE nspname::pg_catalog.text = ANY($2) \
                  OR (nspname::pg_catalog.text = ANY($1) AND NOT pg_catalog.pg_has_role(nspowner, 'USAGE'))";
    let rows = session.query(sql, &[&old, &new]).await.map_err(|e| session.error(e));
    let Some(row) = rows.context("looking at the schemas to rename")?.into_iter().next() else {
        return Ok(());
    };
    let name = shown(row.get(0));
    let why = match row.get(1) {
        true => {
            format!("the target has a schema {name} already; choose another name in renameSchemas or drop it")
        }
        false => {
            format!("the schema {name} of the target belongs to another role, so that it cannot be renamed")
        }
    };
    Err(Error::new(Kind::Conflict, why))
}

/// Refuses to drop what stands in a schema whose restored namesake is to be called otherwise: who gives it another name means to keep what is there.
///
/// # Errors
/// [`Kind::Conflict`] with the schema.
pub(super) async fn refuse_dropping(session: &Session, map: &Map) -> Result<()> {
    let old: Vec<&String> = map.keys().collect();
    let sql = "SELECT n.nspname::pg_catalog.text FROM pg_catalog.pg_namespace n WHERE n.nspname::pg_catalog.text = ANY($1) AND EXISTS (\
                 SELECT FROM (SELECT oid, 'pg_catalog.pg_class'::pg_catalog.regclass AS class FROM pg_catalog.pg_class WHERE relnamespace = n.oid \
                   UNION ALL SELECT oid, 'pg_catalog.pg_proc'::pg_catalog.regclass FROM pg_catalog.pg_proc WHERE pronamespace = n.oid) o \
                 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e'))";
    let rows = session.query(sql, &[&old]).await.map_err(|e| session.error(e));
    match rows.context("looking at the schemas to rename")?.first() {
        None => Ok(()),
        Some(row) => Err(Error::new(
            Kind::Conflict,
            format!(
                "the schema {} of the target is in use, and dropExisting would drop what it holds although what is restored gets another name: restore into an empty or new database",
                shown(row.get(0))
            ),
        )),
    }
}

/// Refuses to rename a schema that stands in the target and is not made: whatever else is in it would be renamed as well.
///
/// # Errors
/// [`Kind::Conflict`] with the schema.
pub(super) fn refuse_kept(toc: &Toc, kept: &[i32], map: &Map) -> Result<()> {
    let is_kept = |e: &&Entry| e.desc == "SCHEMA" && kept.contains(&e.dump_id);
    match toc.entries.iter().filter(is_kept).find(|e| map.contains_key(&e.tag)) {
        None => Ok(()),
        Some(e) => Err(Error::new(
            Kind::Conflict,
            format!(
                "the schema {} stands in the target and holds more than is restored, so that it cannot be renamed: restore the tables into an empty database",
                shown(&e.tag)
            ),
        )),
    }
}

/// The statements that rename.
pub(super) fn statements(map: &Map) -> Vec<String> {
    map.iter().map(|(old, new)| format!("ALTER SCHEMA {} RENAME TO {}", ident(old), ident(new))).collect()
}

/// What is to be told of schemas with new names.
pub(super) fn warning(map: &Map) -> Option<String> {
    let all: Vec<String> =
        map.iter().map(|(old, new)| format!("{} is now {}", shown(old), shown(new))).collect();
    (!all.is_empty()).then(|| {
        format!(
            "schemas were renamed: {}. What names them in text (bodies of functions, settings such as search_path, applications) still has the old names",
            all.join(", ")
        )
    })
}

/// The statement of an event trigger, which is made when schemas have their new names: that of its function.
pub(super) fn of_event_trigger(sql: &str, map: &Map) -> String {
    let all = tokens(sql).unwrap_or_default();
    let function = all
        .windows(4)
        .find(|t| t[0].is("execute") && (t[1].is("function") || t[1].is("procedure")) && t[3].is_symbol('.'));
    match function.and_then(|t| Some((t[2].at.clone(), map.get(t[2].name()?)?))) {
        Some((at, new)) => replaced(sql, vec![(at, ident(new))]),
        None => sql.to_owned(),
    }
}

/// Rows alone: entries say where to, in their COPY and setval statements.
///
/// # Errors
/// [`Kind::Corrupt`] for a statement that is not as pg_dump writes it.
pub(super) fn redirect(entries: &mut [Entry], map: &Map) -> Result<()> {
    if map.is_empty() {
        return Ok(());
    }
    for e in entries {
        let field = match e.desc.as_str() {
            "TABLE DATA" => e.copy_stmt.as_ref().map(|sql| redirected_copy(sql, map)),
            "SEQUENCE SET" => e.defn.as_ref().map(|sql| redirected_setval(sql, map)),
            _ => continue,
        };
        let sql = match field {
            Some(Some(sql)) => sql,
            None => continue,
            Some(None) => {
                let why = format!("the statement of {} is not as pg_dump writes it", named(e));
                return Err(Error::new(Kind::Corrupt, why));
            }
        };
        if e.desc == "TABLE DATA" {
            e.copy_stmt = Some(sql);
        } else {
            e.defn = Some(sql);
        }
        if let Some(new) = e.namespace.as_ref().and_then(|n| map.get(n)) {
            e.namespace = Some(new.clone());
        }
    }
    Ok(())
}

/// `COPY schema.table …`; none when it is something else.
fn redirected_copy(sql: &str, map: &Map) -> Option<String> {
    if sql.is_empty() {
        return Some(String::new());
    }
    let all = tokens(sql)?;
    let schema = all.get(1).filter(|_| all[0].is("copy") && all.get(2).is_some_and(|t| t.is_symbol('.')))?;
    Some(match map.get(schema.name()?) {
        Some(new) => replaced(sql, vec![(schema.at.clone(), ident(new))]),
        None => sql.to_owned(),
    })
}

fn redirected_setval(sql: &str, map: &Map) -> Option<String> {
    let (schema, sequence, at) = set_sequence(sql)?;
    Some(match map.get(&schema) {
        Some(new) => replaced(sql, vec![(at, literal(&qualified(new, &sequence)))]),
        None => sql.to_owned(),
    })
}

/// Schema and name of the sequence in `SELECT pg_catalog.setval('schema.name', 1, true);`, and the place of the text; none when it is something else.
pub(super) fn set_sequence(sql: &str) -> Option<(String, String, std::ops::Range<usize>)> {
    let all = tokens(sql)?;
    let mut rest = all.iter().peekable();
    let mut word = |w: &str| rest.next().filter(|t| t.is(w)).map(|_| ());
    word("select")?;
    word("pg_catalog")?;
    let mut next = |is: fn(&super::sql::Token) -> bool| rest.next().filter(|t| is(t));
    next(|t| t.is_symbol('.'))?;
    next(|t| t.is("setval"))?;
    next(|t| t.is_symbol('('))?;
    let text = next(|t| matches!(t.kind, Token::Literal(_)))?;
    next(|t| t.is_symbol(','))?;
    rest.next_if(|t| t.is_symbol('-'));
    let mut next = |is: fn(&super::sql::Token) -> bool| rest.next().filter(|t| is(t));
    next(|t| matches!(t.kind, Token::Number(_)))?;
    next(|t| t.is_symbol(','))?;
    next(|t| t.is("true") || t.is("false"))?;
    next(|t| t.is_symbol(')'))?;
    rest.next_if(|t| t.is_symbol(';'));
    if rest.next().is_some() {
        return None;
    }
    let Token::Literal(named) = &text.kind else { return None };
    let parts = tokens(named)?;
    let [schema, dot, name] = parts.as_slice() else { return None };
    (dot.is_symbol('.')).then_some(())?;
    Some((schema.name()?.to_owned(), name.name()?.to_owned(), text.at.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Codec, toc::Header};

    fn map(pairs: &[(&str, &str)]) -> Map {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn rows_go_to_the_new_name() {
        let map = map(&[("shop", "it's new"), ("Odd \"s\"", "plain")]);
        assert_eq!(
            redirected_copy("COPY shop.t (a, \"shop\") FROM stdin;\n", &map).unwrap(),
            "COPY \"it's new\".t (a, \"shop\") FROM stdin;\n"
        );
        assert_eq!(
            redirected_copy("COPY public.shop FROM stdin;", &map).unwrap(),
            "COPY public.shop FROM stdin;"
        );
        assert_eq!(
            redirected_setval("SELECT pg_catalog.setval('shop.s', 5, true);\n", &map).unwrap(),
            "SELECT pg_catalog.setval('\"it''s new\".s', 5, true);\n"
        );
        assert_eq!(
            redirected_setval("SELECT pg_catalog.setval('\"Odd \"\"s\"\"\".\"S s\"', -7, false);", &map)
                .unwrap(),
            "SELECT pg_catalog.setval('plain.\"S s\"', -7, false);"
        );
        for other in [
            "SELECT pg_catalog.setval('s', 5, true);",
            "SELECT pg_catalog.setval('a.s', 5, true); DROP TABLE t;",
            "SELECT pg_catalog.setval(f(), 5, true);",
            "SELECT setval('a.s', 5, true);",
            "DROP TABLE t;",
            "",
        ] {
            assert_eq!(redirected_setval(other, &map), None, "{other}");
        }
    }

    #[test]
    fn event_triggers_find_their_function() {
        let map = map(&[("a", "b")]);
        let sql = "CREATE EVENT TRIGGER a ON ddl_command_end\n   EXECUTE FUNCTION a.execute();\n\nALTER EVENT TRIGGER a DISABLE;\n";
        assert_eq!(of_event_trigger(sql, &map), sql.replace("a.execute", "b.execute"));
        let other = sql.replace("a.execute", "c.a");
        assert_eq!(of_event_trigger(&other, &map), other);
    }

    #[test]
    fn names_are_checked_against_the_archive() {
        let entry = |desc: &str, namespace: &str, tag: &str| Entry {
            desc: desc.into(),
            namespace: Some(namespace.into()),
            tag: tag.into(),
            ..Entry::default()
        };
        let toc = Toc {
            header: Header::new(Codec::None, jiff::Timestamp::UNIX_EPOCH, "d", "18.4"),
            entries: vec![entry("SCHEMA", "", "shop"), entry("TABLE", "public", "t")],
        };
        assert!(check(&toc, &map(&[("shop", "x"), ("public", "y")])).is_ok());
        let e = check(&toc, &map(&[("shpo", "x")])).unwrap_err();
        assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some("renameSchemas")));
        assert!(e.to_string().contains("no schema shpo; did you mean shop?"), "{e}");
        let e = check(&toc, &map(&[("shop", "public")])).unwrap_err();
        assert!(e.to_string().contains("has a schema public of its own"), "{e}");
    }
}
