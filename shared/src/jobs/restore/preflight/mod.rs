//! What the target must have, found out before anything is changed and told together.

mod needs;
mod server;
mod superuser;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    needs::{Because, Needed, Needs, OwnedIn},
    superuser::demand,
};
use super::{choices::Choices, database::Properties, plan::shown, roles::Use};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result},
    pg::Session,
};

/// How many things of a sort an error names.
const NAMED: usize = 10;

/// What is to be restored, as far as the target must be able to take it.
pub(super) struct Wanted<'a> {
    /// The entries.
    pub entries: Vec<&'a Entry>,
    /// Of the database itself; empty when not asked for.
    pub properties: &'a Properties,
    /// `server_version` of the archive's server.
    pub version: Option<&'a str>,
    /// The encoding of the database that the archive was made of.
    pub encoding: &'a str,
    /// What is left out.
    pub choices: Choices,
    /// Try also an older server.
    pub allow_older: bool,
}

/// What was found that does not stand in the way.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Tablespaces that are missing: their objects go to the default one.
    pub absent_tablespaces: BTreeSet<String>,
    /// For the record.
    pub warnings: Vec<String>,
}

/// Checks everything that can be known of the target before it is changed.
///
/// # Errors
/// [`Kind::Conflict`] listing everything that is missing and what can be done about it.
pub(super) async fn check(session: &Session, wanted: &Wanted<'_>) -> Result<Found> {
    let mut found = Found::default();
    found.warnings.extend(version::refuse_older(wanted.version, session.version(), wanted.allow_older)?);
    let needs = needs::of(&wanted.entries, wanted.choices)?;
    let able = server::abilities(session).await?;
    let mut reasons = Vec::new();
    reasons.extend(gone(wanted, session.version().major()));
    reasons.extend(roles(session, &needs, wanted).await?);

    let extensions = keys(&needs.extensions);
    let missing = server::missing_extensions(session, &extensions).await?;
    if !missing.is_empty() {
        reasons.push(format!("its server does not have the extensions {} (install them)", some(&missing)));
    }
    let to_install = server::absent_extensions(session, &extensions).await?;
    // What an extension will bring is not known before it is installed.
    let complete = to_install.is_empty();

    let missing = server::missing_tablespaces(session, &keys(&needs.tablespaces)).await?;
    for name in &missing {
        found.warnings.push(format!(
            "tablespace {} does not exist on the target; what was in it went to the default one: {}",
            shown(name),
            because(&needs.tablespaces[name])
        ));
    }
    found.absent_tablespaces = missing.into_iter().collect();

    let missing = server::missing_access_methods(session, &keys(&needs.access_methods)).await?;
    if complete && !missing.is_empty() {
        let listed = with_reasons(&missing, &needs.access_methods);
        reasons.push(format!(
            "it lacks the access methods {listed} (install the extension that has them, or restore with noTableAccessMethod, which gives tables the default one)"
        ));
    }
    reasons.extend(collations(session, &needs).await?);
    let providers = server::missing_providers(session, needs.providers.keys()).await?;
    if !providers.is_empty() {
        reasons.push(format!(
            "no provider of security labels is loaded under the names {} (add it to shared_preload_libraries, or restore with noSecurityLabels)",
            with_reasons(&providers, &needs.providers)
        ));
    }
    let missing = server::missing_schemas(session, &keys(&needs.schemas)).await?;
    if complete && !missing.is_empty() {
        reasons.push(format!(
            "it lacks the schemas {}, which the archive does not create (create them)",
            with_reasons(&missing, &needs.schemas)
        ));
    }
    if !able.superuser {
        reasons.extend(privileges(session, &needs, wanted, &able, &to_install).await?);
    }
    if reasons.is_empty()
        && let Some(words) = server::refused(session, &wanted.properties.all).await?
    {
        reasons.push(format!(
            "the database's properties cannot be set: {words} (restore without databaseProperties)"
        ));
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
    if able.encoding != wanted.encoding && (able.encoding != "UTF8" || wanted.encoding == "SQL_ASCII") {
        found.warnings.push(format!(
            "the archive is of a database in {} and the target database is in {}: text was converted, or taken as it was where one of them is SQL_ASCII",
            wanted.encoding, able.encoding
        ));
    }
    Ok(found)
}

fn gone(wanted: &Wanted<'_>, to: u32) -> Vec<String> {
    let from = wanted.version.and_then(version::major);
    let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (why, name) in wanted.entries.iter().filter_map(|e| version::told(e, from, to)) {
        all.entry(why).or_default().push(name);
    }
    all.into_iter()
        .map(|(why, names)| format!("PostgreSQL {to} does not take {why}: {}", some(&names)))
        .collect()
}

async fn roles(session: &Session, needs: &Needs, wanted: &Wanted<'_>) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let names: Vec<&str> = needs.roles.keys().map(String::as_str).collect();
    let missing = server::missing_roles(session, &names).await?;
    if !missing.is_empty() {
        let uses: BTreeSet<Use> = missing.iter().flat_map(|r| needs.roles[r].keys().copied()).collect();
        let listed: Vec<String> =
            missing.iter().map(|r| format!("{} ({})", shown(r), uses_of(&needs.roles[r]))).collect();
        let mut leave = Vec::new();
        if uses.contains(&Use::Owner) {
            leave.push("noOwner");
        }
        if uses.contains(&Use::Grant) {
            leave.push("noPrivileges");
        }
        let leave = match leave[..] {
            [] => String::new(),
            _ => format!(", or restore with {}", leave.join(" and ")),
        };
        reasons.push(format!(
            "it lacks the roles {} (create them, give them other names with roleMap{leave})",
            listed_of(&listed)
        ));
    }
    if !wanted.choices.no_owner {
        let owners = needs::owners(&wanted.entries);
        let others = server::unreachable_roles(session, &owners).await?;
        if !others.is_empty() {
            reasons.push(format!(
                "the role that restores may not give objects to the roles {} (make it a member of them, or restore with noOwner or roleMap)",
                some(&others)
            ));
        }
    }
    let others: Vec<&str> = needs.default_roles.iter().map(String::as_str).collect();
    let others = server::unreachable_roles(session, &others).await?;
    if !others.is_empty() {
        reasons.push(format!(
            "the role that restores may not set default privileges for the roles {} (make it a member of them, or restore with noPrivileges or roleMap)",
            some(&others)
        ));
    }
    if !needs.doubled.is_empty() {
        reasons.push(format!(
            "roleMap makes one user mapping of two: those of server {} (give them different roles)",
            some(&needs.doubled)
        ));
    }
    if !needs.unreadable.is_empty() {
        reasons.push(format!(
            "the roles in {} cannot be told, since their SQL is not as pg_dump writes it",
            some(&needs.unreadable)
        ));
    }
    Ok(reasons)
}

async fn collations(session: &Session, needs: &Needs) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let missing = server::missing_collations(session, &keys(&needs.collations)).await?;
    if !missing.is_empty() {
        reasons.push(format!(
            "its server lacks the collations {} (install the locales, then run pg_import_system_collations)",
            with_reasons(&missing, &needs.collations)
        ));
    }
    let impossible = server::impossible_collations(session, needs.own_collations.keys()).await?;
    if !impossible.is_empty() {
        let listed: Vec<String> = impossible
            .iter()
            .map(|(options, words)| format!("{}: {words}", because(&needs.own_collations[*options])))
            .collect();
        reasons.push(format!(
            "its server cannot make the collations {} (install their locales)",
            listed_of(&listed)
        ));
    }
    Ok(reasons)
}

/// What a role that is no superuser is kept from.
async fn privileges(
    session: &Session,
    needs: &Needs,
    wanted: &Wanted<'_>,
    able: &server::Abilities,
    to_install: &[String],
) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let mut demands: BTreeMap<superuser::Demand, Vec<String>> = BTreeMap::new();
    for e in &wanted.entries {
        if let Some(demand) = demand(e, &able.untrusted, session.version().major())
            && !(demand.managed && able.managed)
        {
            demands.entry(demand).or_default().push(super::plan::named(e));
        }
    }
    if !demands.is_empty() {
        let choices: BTreeSet<&str> = demands.keys().filter_map(|d| d.choice).collect();
        let choices: String = choices.iter().map(|c| format!(", or leave some out with {c}")).collect();
        let listed: Vec<String> =
            demands.iter().map(|(d, names)| format!("{} ({})", d.what, some(names))).collect();
        reasons.push(format!(
            "only a superuser may restore {}, and {} is none (restore as one{choices})",
            listed.join(", "),
            shown(&able.role)
        ));
    }
    if !able.managed {
        let to_install: Vec<&str> = to_install.iter().map(String::as_str).collect();
        let restricted = server::restricted_extensions(session, &to_install).await?;
        if !restricted.is_empty() {
            reasons.push(format!(
                "only a superuser may install the extensions {} (install them in the target database first)",
                some(&restricted)
            ));
        }
    }
    if let Some(first) = needs.create_in_database.as_ref().filter(|_| !able.create) {
        reasons.push(format!(
            "{} may not create in the target database: {} (GRANT CREATE ON DATABASE)",
            shown(&able.role),
            because(first)
        ));
    }
    let closed = server::closed_schemas(session, &keys(&needs.schemas)).await?;
    if !closed.is_empty() {
        reasons.push(format!(
            "{} may not create in the schemas {} (GRANT CREATE ON SCHEMA)",
            shown(&able.role),
            with_reasons(&closed, &needs.schemas)
        ));
    }
    let owned: Vec<&OwnedIn> = needs.owned_in.keys().collect();
    let kept_out = server::kept_out(session, &owned).await?;
    if !kept_out.is_empty() {
        let listed: Vec<String> = kept_out
            .iter()
            .map(|o| {
                format!("{} in {} ({})", shown(&o.owner), shown(&o.schema), because(&needs.owned_in[*o]))
            })
            .collect();
        reasons.push(format!(
            "{} cannot give objects to roles that may not create in their schema: {} (restore as a superuser, or with noOwner)",
            shown(&able.role),
            listed_of(&listed)
        ));
    }
    let closed = server::closed_tablespaces(session, &keys(&needs.tablespaces)).await?;
    if !closed.is_empty() {
        reasons.push(format!(
            "{} may not create in the tablespaces {} (GRANT CREATE ON TABLESPACE, or restore with noTablespaces)",
            shown(&able.role),
            with_reasons(&closed, &needs.tablespaces)
        ));
    }
    Ok(reasons)
}

fn keys<T>(needed: &BTreeMap<String, T>) -> Vec<&str> {
    needed.keys().map(String::as_str).collect()
}

fn uses_of(uses: &BTreeMap<Use, Because>) -> String {
    let told = uses.iter().map(|(what, why)| {
        let what = match what {
            Use::Owner => "owner",
            Use::Grant => "in grants",
            Use::Policy => "in policies",
            Use::UserMapping => "in user mappings",
            Use::Setting => "in the database's settings",
        };
        format!("{what}: {}", because(why))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// `TABLE public.t`, `TABLE public.t and 3 more`.
fn because(why: &Because) -> String {
    match why.count {
        0 | 1 => why.first.clone(),
        n => format!("{} and {} more", why.first, n - 1),
    }
}

fn with_reasons(names: &[String], needed: &Needed<String>) -> String {
    let told = names.iter().map(|n| match needed.get(n) {
        Some(why) => format!("{} ({})", shown(n), because(why)),
        None => shown(n),
    });
    listed_of(&told.collect::<Vec<_>>())
}

fn some(names: &[String]) -> String {
    listed_of(&names.iter().map(|n| shown(n)).collect::<Vec<_>>())
}

fn listed_of(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "))
}
