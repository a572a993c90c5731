//! What a handler names in its arguments to say who may call it: [`Reader`], [`Writer`], [`Restorer`] or [`Admin`].

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};

use super::{Caller, Scope};
use crate::{app::App, problem::Problem, trace::Audit};

/// The caller, if the token allows this scope and the service is on. A layer that asked before left the caller in the extensions.
async fn caller_with(scope: Scope, parts: &Parts, app: &App) -> Result<Caller, Problem> {
    let caller = match parts.extensions.get::<Caller>() {
        Some(caller) => caller.clone(),
        None => known(parts, app).await?,
    };
    let audit = parts.extensions.get::<Audit>();
    if let Some(audit) = audit {
        audit.needs(scope);
    }
    // What hands out rows is told also where the method says that nothing changes.
    if matches!(scope, Scope::Restore | Scope::Admin)
        && let Some(audit) = audit
    {
        audit.always();
    }
    caller.needs(scope)?;
    if !app.config.enabled {
        let detail = "the backup service is switched off (ENABLE_BACKUP_SERVICE is false)";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "service_disabled", detail));
    }
    Ok(caller)
}

/// The caller that the token names, whatever it allows; also in the audit line.
pub(crate) async fn known(parts: &Parts, app: &App) -> Result<Caller, Problem> {
    let caller = app.verifier.caller(&parts.headers).await?;
    if let Some(audit) = parts.extensions.get::<Audit>() {
        audit.caller(&caller.subject);
    }
    Ok(caller)
}

impl Caller {
    /// For what the body decides: 403 naming the scope when the token does not allow it.
    pub(crate) fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        let other = if scope == Scope::Admin { "" } else { " (or backup:admin)" };
        let detail = format!("this call needs the scope {scope}{other} or the role admin");
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
    }
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident: $scope:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name(#[allow(dead_code, reason = "not every handler asks who it is")] pub(crate) Caller);

        impl FromRequestParts<App> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                caller_with($scope, parts, app).await.map(Self)
            }
        }
    )*};
}

extractors! {
    /// A caller that may read records and settings.
    Reader: Scope::Read;
    /// A caller that may begin backups, checks and runs of schedules.
    Writer: Scope::Write;
    /// A caller that may put rows somewhere: restores, exports, downloads.
    Restorer: Scope::Restore;
    /// A caller that may remove things and change settings.
    Admin: Scope::Admin;
}
