//! `POST /backup/export`: a database as one file to be carried away.

use axum::{Extension, extract::State};
use pgbaton::{
    base::{Format, config::Compression},
    jobs::request::BackupRequest,
};
use serde_json::Value;

use crate::{
    app::App,
    auth::Restorer,
    backups::{self, Answer},
    body::Body,
    documents::{BackupOptions, RunRecord},
    idempotency::Ask,
    problem::Problem,
    trace::Audit,
};

/// Writes a database into one file of its own.
///
/// It is a backup in the format `json` (or `sql`), compressed with gzip unless another compression is asked for, and is listed, kept and restored as such. The
/// answer is its pending record and `filepath`, where the file will be; `GET /backup/{id}/download` then gives a URL to fetch it with.
#[utoipa::path(
    post, path = "/export", tag = "restores", request_body = Option<BackupOptions>, security(("bearer" = ["backup:restore"])),
    responses(
        (status = 202, description = "Begun.", body = RunRecord),
        (status = 404, description = "No such database."),
        (status = 501, description = "An option is planned and not available yet; `field` names it."),
    )
)]
pub(crate) async fn export(
    State(app): State<App>,
    Restorer(caller): Restorer,
    Extension(audit): Extension<Audit>,
    ask: Ask,
    Body(body): Body,
) -> Answer {
    let mut request = BackupRequest::from_export(&body)?;
    if request.compress.is_none() && request.compression.is_none() {
        request.compression = Some(Compression::Gzip);
    }
    if !request.format.is_some_and(Format::is_one_file) {
        return Err(Problem::invalid("format", "an export is one file: \"format\" must be json or sql"));
    }
    let (status, mut answer) = backups::start(&app, caller, &audit, &ask, request).await?;
    let text = |name: &str| answer.0.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (url, file) = (text("s3_url"), text("file_name"));
    let name = file.rsplit('/').next().unwrap_or_default();
    answer.0["filepath"] = format!("{url}{name}").into();
    Ok((status, answer))
}
