//! What every collector needs to know before it reads its own catalogs.

use std::collections::{HashMap, HashSet};

use super::{
    draft::{CatalogId, Context},
    rows::{field, rows},
    select::Limits,
};
use crate::{base::Result, pg::ServerVersion};

/// Schemas of the user. `pg_*` is reserved for the system (PostgreSQL manual, "The System Catalog Schema").
const NAMESPACES: &str =
    "SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";

const ROLES: &str = "SELECT oid, rolname FROM pg_roles";

/// Members come with CREATE EXTENSION.
const EXTENSION_MEMBERS: &str = "SELECT classid, objid FROM pg_depend \
     WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'";

impl<'a> Context<'a> {
    /// Reads what collectors share, in the session's snapshot.
    ///
    /// # Errors
    /// As the queries' errors.
    pub async fn load(client: &'a tokio_postgres::Client, version: ServerVersion) -> Result<Self> {
        let mut namespaces = HashMap::new();
        for row in rows(client, "schemas", NAMESPACES, &[]).await? {
            namespaces.insert(field(&row, "oid")?, field(&row, "nspname")?);
        }
        let mut roles = HashMap::new();
        for row in rows(client, "roles", ROLES, &[]).await? {
            roles.insert(field(&row, "oid")?, field(&row, "rolname")?);
        }
        let mut extension_members = HashSet::new();
        for row in rows(client, "extension members", EXTENSION_MEMBERS, &[]).await? {
            extension_members
                .insert(CatalogId { class: field(&row, "classid")?, oid: field(&row, "objid")? });
        }
        Ok(Self { client, version, namespaces, roles, extension_members, choice: None })
    }

    /// Whether an object of this schema gets an entry: the schema is the user's, no extension brings the object, and it was not left out by
    /// choice.
    pub fn archives(&self, id: CatalogId, schema: u32) -> bool {
        self.namespaces.contains_key(&schema) && !self.extension_members.contains(&id) && self.keeps(id)
    }

    /// Whether the choice is to archive an object.
    pub fn keeps(&self, id: CatalogId) -> bool {
        self.choice.is_none_or(|choice| choice.keeps(id))
    }

    /// Which rows of a catalog are chosen, for [`within`](super::select::within).
    pub(crate) fn limits(&self, class: u32) -> Limits {
        self.choice.map(|choice| choice.limits(class)).unwrap_or_default()
    }

    /// The name of a role, or its number if it is gone (as `pg_get_userbyid`, which pg_dump follows).
    pub fn role(&self, oid: u32) -> String {
        self.roles.get(&oid).cloned().unwrap_or_else(|| format!("unknown (OID={oid})"))
    }
}
