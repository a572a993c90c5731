//! The OpenAPI document, generated from the handlers, and `GET /openapi.json`.
//!
//! # Adding a call
//!
//! 1. Write the handler and describe it above: the path is the one below a mount (`/{id}/verify`), the doc comment becomes summary and description, the
//!    scope under `security` is that of the extractor among the arguments. Only what it answers of its own is listed: [`finish`] adds what every call may
//!    answer (400, 401, 403, 500, 502, 503; for POST and PUT 409, 413, 422 and `Idempotency-Key`).
//!
//!    ```ignore
//!    /// Checks the stored objects of a backup.
//!    ///
//!    /// The outcome lands on the record.
//!    #[utoipa::path(
//!        post, path = "/{id}/verify", tag = "backups", params(RunPath), request_body = VerifyOptions,
//!        security(("bearer" = ["backup:write"])),
//!        responses((status = 202, description = "Begun.", body = RunRecord), (status = 404, description = "No such backup.")),
//!    )]
//!    pub(crate) async fn verify(State(app): State<App>, Writer(caller): Writer, ask: Ask, Body(body): Body) -> Answer
//!    ```
//!
//!    (A required field whose type is an enum must not be `inline`: utoipa writes a schema that nothing fits.) An error without a body of its own gets the problem document. A handler that begins a run takes its id and instant from [`crate::idempotency::Ask`]
//!    and hands the record to [`crate::begin::begin`]. What the body decides is asked of the caller: `caller.needs(Scope::Admin)?`.
//! 2. Describe what it takes and gives in [`crate::documents`], or derive `ToSchema` on the types that it serializes.
//! 3. Add `.routes(routes!(resource::handler))` to [`crate::router`] (methods of one path may be added one by one), and take its line out of
//!    [`crate::planned`]. There is no other way to add a route.
//! 4. `PGBATON_REWRITE=1 cargo test --lib openapi` writes `functions/api/openapi.json` anew; look at its difference.

use std::sync::{Arc, OnceLock};

use axum::{
    Extension,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use pgbaton::base::{Error, Kind, Result};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, Header, HttpMethod, Info, License, ObjectBuilder, OpenApi, Ref, RefOr, Required,
        Response as Described, ResponseBuilder, Server, Tag,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{Components, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{documents::Problem, problem};

const PROBLEM: &str = "application/problem+json";
const KEY: &str = "IdempotencyKey";

/// Statuses that calls share: the name of the component, and what it means.
const SHARED: [(u16, &str, &str); 9] = [
    (400, "Invalid", "The request is malformed; `field` names what is at fault."),
    (401, "Unauthorized", "There is no valid bearer token."),
    (403, "Forbidden", "The token does not allow this; `detail` names the scope that is missing."),
    (409, "Conflict", "It collides with what stands there, or a call with this Idempotency-Key is at work."),
    (413, "TooLarge", "The body is larger than 1 MiB."),
    (422, "KeyReused", "This Idempotency-Key was used for another request."),
    (500, "Internal", "A fault of pgbaton."),
    (502, "Gateway", "An AWS service failed."),
    (
        503,
        "Unavailable",
        "A table, the keys that tokens are checked with or the service itself are not available.",
    ),
];

/// The finished document.
pub(crate) struct Document {
    described: OpenApi,
    text: OnceLock<String>,
}

impl Document {
    pub(crate) fn new(described: OpenApi) -> Self {
        Self { described, text: OnceLock::new() }
    }

    /// As JSON, in lines.
    pub(crate) fn text(&self) -> Result<&str> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let text = self
            .described
            .to_pretty_json()
            .map_err(|e| Error::with_source(Kind::Internal, "the OpenAPI document cannot be written", e))?;
        Ok(self.text.get_or_init(|| text))
    }
}

/// This document (OpenAPI 3.1).
#[utoipa::path(
    get, path = "/openapi.json", tag = "about", security(()),
    responses((status = 200, description = "The document.", body = serde_json::Value, content_type = "application/json"))
)]
pub(crate) async fn document(
    Extension(document): Extension<Arc<Document>>,
) -> Result<Response, problem::Problem> {
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((headers, document.text()?.to_owned()).into_response())
}

/// Completes what the handlers said: title, servers, security, and what all calls have in common.
pub(crate) fn finish(mut api: OpenApi) -> OpenApi {
    api.info = Info::new("pgbaton", env!("CARGO_PKG_VERSION"));
    api.info.description = Some(
        "Backups of PostgreSQL and restores of them. Errors are problem documents (RFC 9457). Bodies are JSON objects; fields are spelt in camelCase or \
         snake_case, and unknown ones are refused. The same calls answer below `/api` and `/api/admin`."
            .into(),
    );
    api.info.license = Some(License::builder().name("Apache-2.0").identifier(Some("Apache-2.0")).build());
    api.servers = Some(["/", "/api", "/api/admin"].map(Server::new).into());
    api.tags = Some(tags());
    let components = api.components.get_or_insert_with(Components::new);
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.security_schemes.insert("bearer".into(), RefOr::T(bearer()));
    components.parameters.insert(KEY.into(), RefOr::T(idempotency_key()));
    for (_, name, meaning) in SHARED {
        components.responses.insert(name.into(), RefOr::T(problem_response(name, meaning)));
    }
    for (path, item) in &mut api.paths.paths {
        let operations = [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Delete, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                complete(&method, path, operation);
            }
        }
    }
    api
}

/// Adds what every call of this method may answer, where the handler says nothing else.
fn complete(method: &HttpMethod, path: &str, operation: &mut Operation) {
    for response in
        operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5']))
    {
        if let RefOr::T(response) = response.1
            && response.content.is_empty()
        {
            response.content.insert(PROBLEM.into(), problem_content().into());
        }
    }
    let open = operation.security.as_ref().is_none_or(|all| all.iter().any(|one| *one == Default::default()));
    let statuses: &[u16] = match method {
        _ if open => &[400],
        HttpMethod::Post => &[400, 401, 403, 409, 413, 422, 500, 502, 503],
        HttpMethod::Put => &[400, 401, 403, 409, 413, 422, 500, 502, 503],
        _ => &[400, 401, 403, 500, 502, 503],
    };
    for (status, name, _) in SHARED.iter().filter(|(status, ..)| statuses.contains(status)) {
        let shared = || RefOr::Ref(Ref::from_response_name(*name));
        operation.responses.responses.entry(status.to_string()).or_insert_with(shared);
    }
    if matches!(method, HttpMethod::Post | HttpMethod::Put) {
        let key = RefOr::Ref(Ref::new(format!("#/components/parameters/{KEY}")));
        operation.parameters.get_or_insert_default().push(key);
    }
    debug_assert!(operation.summary.is_some(), "{path} has no description");
}

fn tags() -> Vec<Tag> {
    let of = |name: &str, what: &str| {
        let mut tag = Tag::new(name);
        tag.description = Some(what.into());
        tag
    };
    vec![
        of("backups", "Backups and their records"),
        of("restores", "Restores, exports and downloads"),
        of("checks", "Whether backups, databases and the service are in order"),
        of("schedules", "When backups run"),
        of("settings", "Databases, retention"),
        of("planned", "Later releases"),
        of("about", "This document"),
    ]
}

fn bearer() -> SecurityScheme {
    let about = "A JSON Web Token (HS256 with the deployment's secret, or RS256, ES256, EdDSA with published keys). Its claim `scope` (or `scopes`, `scp`, \
         `roles`, `permissions`) holds backup:read, backup:write, backup:restore, backup:admin; `role: admin` means all. Admin includes the others, write \
         and restore include read.";
    SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(about))
            .build(),
    )
}

fn idempotency_key() -> Parameter {
    let about = "For 24 hours the same key of the same caller on the same path gets the first answer again and does nothing twice. Another body: 422; while \
         the first call is at work: 409.";
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
        .examples([serde_json::json!("4e1c2f0a-nightly")]);
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn problem_response(name: &str, meaning: &str) -> Described {
    let mut response = ResponseBuilder::new().description(meaning).content(PROBLEM, problem_content());
    if name == "Unauthorized" {
        let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String));
        header.description = Some("`Bearer`".into());
        response = response.header("WWW-Authenticate", header);
    }
    response.build()
}

fn problem_content() -> Content {
    Content::new(Some(Ref::from_schema_name(Problem::name())))
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
