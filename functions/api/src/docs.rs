//! `GET /docs`: Swagger UI over `/openapi.json`, all of it in the program; the page loads nothing from elsewhere.

use std::io::Read;

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::read::GzDecoder;
use pgbaton::base::Kind;
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

const PAGE: &str = include_str!("../assets/swagger-ui/docs.html");
const START: &str = include_str!("../assets/swagger-ui/docs.js");
const BUNDLE: &[u8] = include_bytes!("../assets/swagger-ui/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("../assets/swagger-ui/swagger-ui.css.gz");

/// What the page may do: its own scripts and styles, calls to this API, the small pictures that Swagger UI writes as data.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const GUARDS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];
const TYPE: HeaderName = header::CONTENT_TYPE;
const CACHE: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));

/// A file of the page.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "read by the derive alone")]
pub(crate) struct File {
    /// The file's name.
    #[param(inline, example = "docs.js")]
    file: FileName,
}

/// The files there are.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive alone")]
enum FileName {
    #[schema(rename = "docs.js")]
    Start,
    #[schema(rename = "swagger-ui-bundle.js")]
    Bundle,
    #[schema(rename = "swagger-ui.css")]
    Style,
}

/// This document as a page (Swagger UI).
#[utoipa::path(
    get, path = "/docs", tag = "about", security(()),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"))
)]
pub(crate) async fn page() -> Response {
    (GUARDS, [(TYPE, HeaderValue::from_static("text/html; charset=utf-8")), CACHE], PAGE).into_response()
}

/// The files of the page.
#[utoipa::path(
    get, path = "/docs/{file}", tag = "about", operation_id = "page_file", params(File), security(()),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/javascript"),
            (String = "text/css"),
        )),
        (status = 404, description = "There is no such file.", body = crate::documents::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn file(file: Option<Path<String>>, headers: HeaderMap) -> Result<Response, Problem> {
    const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
    let name = file.map(|Path(name)| name).unwrap_or_default();
    let (kind, packed) = match name.as_str() {
        "docs.js" => return Ok((GUARDS, [(TYPE, SCRIPT), CACHE], START).into_response()),
        "swagger-ui-bundle.js" => (SCRIPT, BUNDLE),
        "swagger-ui.css" => (HeaderValue::from_static("text/css; charset=utf-8"), STYLE),
        _ => {
            let detail = "the page has no such file";
            return Err(Problem::new(StatusCode::NOT_FOUND, Kind::NotFound.code(), detail));
        }
    };
    let head = (GUARDS, [(TYPE, kind), CACHE, (header::VARY, HeaderValue::from_static("accept-encoding"))]);
    if takes_gzip(&headers) {
        let packed_as = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return Ok((head, packed_as, packed).into_response());
    }
    let mut plain = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut plain).map_err(|e| {
        pgbaton::base::Error::with_source(Kind::Internal, format!("{name} cannot be unpacked"), e)
    })?;
    Ok((head, plain).into_response())
}

/// RFC 9110, section 12.5.3; `gzip;q=0` means no.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = all.flat_map(|value| value.split(',')).map(|c| c.replace(' ', "").to_ascii_lowercase());
    codings.any(|coding| {
        let (name, weight) = coding.split_once(";q=").unwrap_or((&coding, "1"));
        name == "gzip" && weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(encoding: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, encoding.parse().unwrap());
        headers
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        for (encoding, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.8", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("xgzip", false),
        ] {
            assert_eq!(takes_gzip(&asking(encoding)), takes, "{encoding}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn the_page_has_its_files_and_names_no_other_host() {
        let page = page().await;
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert!(!PAGE.contains("//") && !PAGE.contains("<style") && !PAGE.contains("onload"));
        for link in PAGE.split(['"', '\'']).filter_map(|part| part.strip_prefix("docs/")) {
            for encoding in ["gzip", "identity"] {
                let file = file(Some(Path(link.to_owned())), asking(encoding)).await.unwrap();
                assert_eq!(
                    file.headers().contains_key(header::CONTENT_ENCODING),
                    encoding == "gzip" && link != "docs.js"
                );
                let body = axum::body::to_bytes(file.into_body(), 10 << 20).await.unwrap();
                assert!(!body.is_empty(), "{link}");
            }
        }
        assert!(file(Some(Path("../Cargo.toml".into())), HeaderMap::new()).await.is_err());
    }
}
