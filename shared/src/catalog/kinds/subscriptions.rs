//! SUBSCRIPTION entries: as pg_dump makes them they do not connect and are disabled until someone enables them. Passwords stay out.

use std::fmt::Write;

use tokio_postgres::Row;

use crate::{
    base::Result,
    catalog::{
        class::{PG_SUBSCRIPTION, definition},
        draft::{CatalogId, Context, Draft, Drafts, Section},
        rows::{field, letter},
    },
    pg::{ServerVersion, conn_redact, ident, literal},
};

/// Names are for everybody, connection strings for superusers and whom they let;
/// oids for everybody since 14.
fn names_query(version: ServerVersion) -> String {
    let oid = if version.major() >= 14 { "oid" } else { "0::oid AS oid" };
    format!(
        "SELECT {oid}, subname::text AS name, \
           has_column_privilege('pg_subscription', 'subconninfo', 'SELECT') AS readable \
         FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         ORDER BY subname"
    )
}

/// 14 brought `subbinary` and `substream` (a boolean until 15), 15 `subtwophasestate` and `subdisableonerr`, 16 `suborigin`,
/// `subpasswordrequired` and `subrunasowner` (before, all ran as the owner), 17 `subfailover`.
fn subscriptions_query(version: ServerVersion) -> String {
    let since = |major: u32, column: &'static str, before: &'static str| {
        if version.major() >= major { column } else { before }
    };
    let stream = match version.major() {
        ..14 => "'f'",
        14 | 15 => "CASE WHEN s.substream THEN 't' ELSE 'f' END",
        _ => "s.substream",
    };
    format!(
        "SELECT s.oid, s.subname::text AS name, pg_get_userbyid(s.subowner)::text AS owner, s.subconninfo, \
           s.subslotname::text AS slot, s.subpublications, s.subsynccommit, {stream}::\"char\" AS stream, \
           {} AS binary, {} <> 'd' AS two_phase, {} AS disable_on_error, {} AS password_required, \
           {} AS run_as_owner, {} AS failover, {} AS origin \
         FROM pg_subscription s \
         WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY s.subname",
        since(14, "s.subbinary", "false"),
        since(15, "s.subtwophasestate", "'d'"),
        since(15, "s.subdisableonerr", "false"),
        since(16, "s.subpasswordrequired", "true"),
        since(16, "s.subrunasowner", "true"),
        since(17, "s.subfailover", "false"),
        since(16, "s.suborigin", "'any'"),
    )
}

/// Adds the database's subscriptions.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    // Without any, the catalog may be closed to this role, and is of no interest.
    let mut readable = false;
    for row in cx.rows("the names of subscriptions", &names_query(cx.version), &[]).await? {
        let id = CatalogId { class: PG_SUBSCRIPTION, oid: field(&row, "oid")? };
        if !cx.keeps(id) {
            continue;
        }
        readable = field(&row, "readable")?;
        if !readable {
            let name: &str = field(&row, "name")?;
            out.left_out.insert(id);
            out.warnings.push(format!(
                "subscription {name} is not in the backup: only a superuser can read its connection string"
            ));
        }
    }
    if !readable {
        return Ok(());
    }
    for row in cx.rows("subscriptions", &subscriptions_query(cx.version), &[]).await? {
        let key = definition(PG_SUBSCRIPTION, field(&row, "oid")?);
        if cx.extension_members.contains(&key.id) {
            continue;
        }
        let name: String = field(&row, "name")?;
        let sql = ident(&name);
        let connection: &str = field(&row, "subconninfo")?;
        let redacted = conn_redact::without_secrets(connection);
        if redacted.is_some() {
            out.warnings.push(format!(
                "the password of subscription {name} is not in the backup: \
                 set it after a restore with ALTER SUBSCRIPTION … CONNECTION"
            ));
        }
        let publications: Vec<&str> = field(&row, "subpublications")?;
        let publications: Vec<String> = publications.into_iter().map(ident).collect();
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition: format!(
                "CREATE SUBSCRIPTION {sql} CONNECTION {} PUBLICATION {} WITH ({});\n",
                literal(redacted.as_deref().unwrap_or(connection)),
                publications.join(", "),
                options(&row)?
            ),
            drop: format!("DROP SUBSCRIPTION {sql};\n"),
            ..Draft::blank(key, "SUBSCRIPTION", Section::PostData, name)
        });
    }
    Ok(())
}

/// Those that are not the default of every version; `streaming` has changed its default and is always said.
fn options(row: &Row) -> Result<String> {
    let slot: Option<&str> = field(row, "slot")?;
    let mut options =
        format!("connect = false, slot_name = {}", slot.map_or_else(|| "NONE".to_owned(), literal));
    if field(row, "binary")? {
        options.push_str(", binary = true");
    }
    options.push_str(match letter(row, "stream")? {
        't' => ", streaming = on",
        'p' => ", streaming = parallel",
        _ => ", streaming = off",
    });
    for (option, column) in [("two_phase = on", "two_phase"), ("disable_on_error = true", "disable_on_error")]
    {
        if field(row, column)? {
            let _ = write!(options, ", {option}");
        }
    }
    if !field::<bool>(row, "password_required")? {
        options.push_str(", password_required = false");
    }
    for (option, column) in [("run_as_owner = true", "run_as_owner"), ("failover = true", "failover")] {
        if field(row, column)? {
            let _ = write!(options, ", {option}");
        }
    }
    let commit: &str = field(row, "subsynccommit")?;
    if commit != "off" {
        let _ = write!(options, ", synchronous_commit = {}", ident(commit));
    }
    let origin: &str = field(row, "origin")?;
    if !origin.eq_ignore_ascii_case("any") {
        let _ = write!(options, ", origin = {origin}");
    }
    Ok(options)
}
