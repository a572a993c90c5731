//! What the target must have, found out before anything is changed and told together.

use std::collections::BTreeSet;

use super::{
    roles,
    statement::{Leave, new_owner},
    target::{missing_extensions, missing_roles, missing_tablespaces, unreachable_roles},
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result},
    pg::Session,
};

/// Checks roles and extensions; gives the tablespaces that are missing, whose objects then go to the default one.
///
/// # Errors
/// [`Kind::Conflict`] listing everything that is missing and what can be done about it.
pub(super) async fn check(session: &Session, entries: &[Entry], leave: Leave) -> Result<BTreeSet<String>> {
    let roles = roles::needed(entries, leave);
    let missing = missing_roles(session.client(), roles.iter()).await?;
    let extensions: Vec<&str> =
        entries.iter().filter(|e| e.desc == "EXTENSION").map(|e| e.tag.as_str()).collect();
    let absent = missing_extensions(session.client(), &extensions).await?;
    let mut reasons = Vec::new();
    if !missing.is_empty() {
        reasons.push(format!(
            "it lacks the roles {} (create them, or restore with noOwner and noPrivileges)",
            missing.join(", ")
        ));
    }
    if !leave.owner {
        let owners: BTreeSet<&str> = entries.iter().filter_map(new_owner).collect();
        let owners: Vec<&str> = owners.into_iter().collect();
        let others = unreachable_roles(session, &owners).await?;
        if !others.is_empty() {
            reasons.push(format!(
                "the role that restores may not give objects to the roles {} (make it a member of them, or restore with noOwner)",
                others.join(", ")
            ));
        }
    }
    if !absent.is_empty() {
        reasons.push(format!("its server does not have the extensions {} (install them)", absent.join(", ")));
    }
    if !reasons.is_empty() {
        return Err(Error::new(
            Kind::Conflict,
            format!(
                "the target cannot take this archive, and nothing in it was touched: {}",
                reasons.join("; ")
            ),
        ));
    }
    let tablespaces: BTreeSet<&str> =
        entries.iter().filter_map(|e| e.tablespace.as_deref()).filter(|t| !t.is_empty()).collect();
    let tablespaces: Vec<&str> = tablespaces.into_iter().collect();
    Ok(missing_tablespaces(session.client(), &tablespaces).await?.into_iter().collect())
}
