//! EVENT TRIGGER entries.

use std::fmt::Write;

use crate::{
    base::Result,
    catalog::{
        class::{PG_EVENT_TRIGGER, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::{field, letter},
    },
    pg::ident,
};

const EVENT_TRIGGERS: &str = "
SELECT t.oid, t.evtname::text AS name, pg_get_userbyid(t.evtowner)::text AS owner, t.evtevent::text AS event, t.evtenabled,
       array_to_string(ARRAY(SELECT quote_literal(tag) FROM unnest(t.evttags) AS tags(tag)), ', ') AS tags,
       t.evtfoid::regproc::text AS function
FROM pg_event_trigger t";

/// Adds the event triggers.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("event triggers", EVENT_TRIGGERS, &[]).await? {
        let key = definition(PG_EVENT_TRIGGER, field(&row, "oid")?);
        if cx.extension_members.contains(&key.id) {
            continue;
        }
        let name: String = field(&row, "name")?;
        let sql = ident(&name);
        let tags: &str = field(&row, "tags")?;
        let when = if tags.is_empty() { String::new() } else { format!("\n         WHEN TAG IN ({tags})") };
        let mut definition = format!(
            "CREATE EVENT TRIGGER {sql} ON {}{when}\n   EXECUTE FUNCTION {}();\n",
            ident(field(&row, "event")?),
            field::<&str>(&row, "function")?
        );
        let state = match letter(&row, "evtenabled")? {
            'D' => Some("DISABLE"),
            'R' => Some("ENABLE REPLICA"),
            'A' => Some("ENABLE ALWAYS"),
            _ => None,
        };
        if let Some(state) = state {
            let _ = write!(definition, "\nALTER EVENT TRIGGER {sql} {state};\n");
        }
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition,
            drop: format!("DROP EVENT TRIGGER {sql};\n"),
            ..Draft::blank(key, "EVENT TRIGGER", Section::PostData, name)
        });
    }
    Ok(())
}
