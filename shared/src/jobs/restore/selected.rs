//! What a request leaves of an archive, before the target is looked at.

use super::{constraints, data_only::Destinations, existing::Existing, pick, roles, schemas, source::Source};
use crate::{
    base::{Error, Kind, Result},
    jobs::request::RestoreRequest,
};

/// What follows from the request, beside the entries that stay.
#[derive(Debug)]
pub(super) struct Selected {
    /// With `dropExisting`.
    pub existing: Option<Existing>,
    /// With `dataOnly`.
    pub destinations: Option<Destinations>,
    /// Statements that give schemas their new names, last of all.
    pub renames: Vec<String>,
    /// What a person should know of it.
    pub warnings: Vec<String>,
}

impl Selected {
    /// Leaves entries of the source out, and changes names in others, as the request says.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] with the field that names what the archive does not have; [`Kind::Corrupt`] for statements that pg_dump would not write.
    pub(super) fn of(source: &mut Source, request: &RestoreRequest) -> Result<Self> {
        let choices = request.choices;
        let mut warnings = Vec::new();
        let mut own = None;
        if !request.tables.is_empty() {
            let picked = pick::pick(&source.toc, &request.tables, choices)?;
            source.keep(&picked.ids);
            warnings = picked.warnings;
            own = Some(picked.own);
        }
        roles::rename(&mut source.toc.entries, &request.role_map)?;
        // Also of constraints that are not made again.
        let wanted = source.toc.entries.iter().filter(|e| choices.want(e));
        let existing = request.drop_existing.then(|| Existing::of(wanted, own.as_ref())).transpose()?;
        if choices.skip_constraints
            && let Some((ids, told)) = constraints::skip(&source.toc)
        {
            source.keep(&ids);
            warnings.push(told);
        }
        let map = &request.rename_schemas;
        schemas::check(&source.toc, map)?;
        let mut renames = Vec::new();
        if choices.data_only {
            schemas::redirect(&mut source.toc.entries, map)?;
        } else {
            if map.contains_key("public") && request.drop_existing && own.is_some() {
                let why = "with \"tables\" and \"dropExisting\" the schema public stays as it is and cannot be renamed";
                return Err(Error::new(Kind::InvalidInput, why).at_field("renameSchemas"));
            }
            for e in source.toc.entries.iter_mut().filter(|e| e.desc == "EVENT TRIGGER") {
                e.defn = e.defn.as_deref().map(|sql| schemas::of_event_trigger(sql, map));
            }
            renames = schemas::statements(map);
            warnings.extend(schemas::warning(map));
        }
        let entries = source.toc.entries.iter();
        let destinations = choices.data_only.then(|| Destinations::of(entries, choices)).transpose()?;
        Ok(Self { existing, destinations, renames, warnings })
    }
}
