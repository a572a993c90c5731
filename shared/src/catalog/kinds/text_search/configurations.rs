//! TEXT SEARCH CONFIGURATION entries, with the dictionaries of each token type.

use std::collections::HashMap;

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_TS_CONFIG, definition},
        draft::{Context, Drafts},
        rows::field,
    },
    pg::{ident, qualified},
};

const CONFIGURATIONS: &str = "
SELECT c.oid, c.cfgnamespace AS schema_oid, n.nspname::text AS schema, c.cfgname::text AS name,
       pg_get_userbyid(c.cfgowner)::text AS owner, pn.nspname::text AS parser_schema, p.prsname::text AS parser
FROM pg_ts_config c
JOIN pg_namespace n ON n.oid = c.cfgnamespace
JOIN pg_ts_parser p ON p.oid = c.cfgparser
JOIN pg_namespace pn ON pn.oid = p.prsnamespace
WHERE c.oid >= $1";

/// Token types have numbers in the catalog; their names are the parser's to tell.
const MAPPINGS: &str = "
WITH parser AS MATERIALIZED (SELECT DISTINCT cfgparser AS oid FROM pg_ts_config WHERE oid >= $1),
     token AS MATERIALIZED (SELECT parser.oid AS parser, t.tokid, t.alias FROM parser, ts_token_type(parser.oid) t)
SELECT m.mapcfg AS oid, t.alias AS token, m.mapdict::regdictionary::text AS dictionary
FROM pg_ts_config_map m
JOIN pg_ts_config c ON c.oid = m.mapcfg
JOIN token t ON t.parser = c.cfgparser AND t.tokid = m.maptokentype
WHERE m.mapcfg >= $1
ORDER BY m.mapcfg, m.maptokentype, m.mapseqno";

pub(super) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let configurations = cx.rows("text search configurations", CONFIGURATIONS, &[&FIRST_USER_OID]).await?;
    if configurations.is_empty() {
        return Ok(());
    }
    let mut mappings = mappings(cx).await?;
    for row in configurations {
        let parser = qualified(field(&row, "parser_schema")?, field(&row, "parser")?);
        let kind = (PG_TS_CONFIG, "TEXT SEARCH CONFIGURATION");
        super::add(cx, out, kind, &row, &format!("PARSER = {parser}"))?;
        let key = definition(PG_TS_CONFIG, field(&row, "oid")?);
        let Some(draft) = out.entries.get_mut(&key) else { continue };
        let name = qualified(field(&row, "schema")?, field(&row, "name")?);
        for (token, dictionaries) in mappings.remove(&key.id.oid).unwrap_or_default() {
            draft.definition.push_str(&format!(
                "\nALTER TEXT SEARCH CONFIGURATION {name}\n    ADD MAPPING FOR {} WITH {};\n",
                ident(&token),
                dictionaries.join(", ")
            ));
        }
    }
    Ok(())
}

/// For each configuration its token types in order, each with its dictionaries in order.
async fn mappings(cx: &Context<'_>) -> Result<HashMap<u32, Vec<(String, Vec<String>)>>> {
    let mut all: HashMap<u32, Vec<(String, Vec<String>)>> = HashMap::new();
    for row in cx.rows("text search mappings", MAPPINGS, &[&FIRST_USER_OID]).await? {
        let token: String = field(&row, "token")?;
        let dictionary: String = field(&row, "dictionary")?;
        let of_configuration = all.entry(field(&row, "oid")?).or_default();
        match of_configuration.last_mut() {
            Some((last, dictionaries)) if *last == token => dictionaries.push(dictionary),
            _ => of_configuration.push((token, vec![dictionary])),
        }
    }
    Ok(all)
}
