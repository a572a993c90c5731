//! The address of a receiver outside of AWS, which never shows what may be secret in it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::Uri;
use percent_encoding::percent_decode_str;

use super::{Error, Kind, Result, Secret};

/// An `https` URL; `http` only to this machine itself. `Display` and `Debug` leave out user, password and query, which may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Without user info and fragment.
    uri: Uri,
    authorization: Option<Secret>,
}

impl Endpoint {
    /// Reads a URL. User and password before the host become the header `Authorization: Basic` (RFC 7617); a fragment is left out.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`]; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::new(Kind::InvalidInput, format!("the URL {why}"));
        let text = text.trim();
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let uri: Uri = text.parse().map_err(|_| wrong("cannot be read"))?;
        let scheme = uri.scheme_str().ok_or_else(|| wrong("must begin with https://"))?;
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?.as_str();
        let (user_info, host_and_port) = match authority.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, authority),
        };
        let host = uri.host().unwrap_or_default();
        if host.is_empty() {
            return Err(wrong("names no host"));
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(host) => {}
            _ => {
                return Err(wrong("must begin with https://; http:// is taken for this machine itself only"));
            }
        }
        let authorization = user_info.map(|user| {
            let plain: Vec<u8> = percent_decode_str(user).collect();
            Secret::new(format!("Basic {}", STANDARD.encode(plain)))
        });
        let path = uri.path_and_query().map_or("/", |p| p.as_str());
        let uri = Uri::builder().scheme(scheme).authority(host_and_port).path_and_query(path);
        Ok(Self { uri: uri.build().map_err(|_| wrong("cannot be read"))?, authorization })
    }

    /// What a request is made to.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The value of the header `Authorization`, where the URL had a user.
    pub fn authorization(&self) -> Option<&Secret> {
        self.authorization.as_ref()
    }
}

/// Names and addresses of this machine itself (RFC 6761, RFC 1122, RFC 4291).
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map_or("", |a| a.as_str());
        write!(f, "{scheme}://{authority}{}", self.uri.path())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_or_this_machine() {
        for good in [
            "https://hooks.example.com/a/b?token=x",
            "https://hooks.example.com",
            "https://10.0.0.7:8443/",
            "http://127.0.0.1:9000/x",
            "http://localhost/x",
            "http://[::1]:8080/",
        ] {
            Endpoint::parse(good).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
        for bad in [
            "",
            "hooks.example.com",
            "http://hooks.example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost@example.com/",
            "http://169.254.169.254/latest",
            "ftp://example.com/",
            "https:///x",
            "https://a b/",
            "file:///etc/passwd",
        ] {
            let e = Endpoint::parse(bad).unwrap_err();
            assert_eq!(e.kind(), Kind::InvalidInput, "{bad}");
        }
    }

    #[test]
    fn what_may_be_secret_is_never_shown() {
        let e = Endpoint::parse("https://ann:p%40ss@hooks.example.com:8443/in/1?token=abc#frag").unwrap();
        for shown in [e.to_string(), format!("{e:?}")] {
            assert_eq!(shown, "https://hooks.example.com:8443/in/1");
        }
        assert_eq!(e.uri().to_string(), "https://hooks.example.com:8443/in/1?token=abc");
        // "ann:p@ss"
        assert_eq!(e.authorization().unwrap().expose(), "Basic YW5uOnBAc3M=");
        let refused =
            Endpoint::parse("http://ann:pass@hooks.example.com/?token=abc").unwrap_err().to_string();
        assert!(!refused.contains("pass") && !refused.contains("abc"), "{refused}");
    }
}
