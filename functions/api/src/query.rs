//! Query parameters, taken one by one: unknown and repeated ones are refused with their name.

use axum::{extract::FromRequestParts, http::request::Parts};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use pgbaton::base::{Result, id::DatabaseName};

use crate::problem::Problem;

/// Of a call that takes none: any is refused with its name.
pub(crate) struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Parameters::of(parts.uri.query())?.end().map(|()| Self)
    }
}

/// The parameters of one call.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Splits a query string (URL Standard, application/x-www-form-urlencoded).
    pub(crate) fn of(query: Option<&str>) -> Result<Self, Problem> {
        let query = query.unwrap_or("");
        let uri = format!("/?{query}").parse::<axum::http::Uri>();
        let pairs = uri.ok().and_then(|uri| {
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).ok().map(|query| query.0)
        });
        pairs.map(Self).ok_or_else(|| Problem::invalid("query", "the query string cannot be read"))
    }

    /// A parameter under either of its spellings; an empty value counts as absent.
    pub(crate) fn text(&mut self, name: &str, other: &str) -> Result<Option<String>, Problem> {
        let mut found = None;
        while let Some(at) = self.0.iter().position(|(key, _)| key == name || key == other) {
            if found.is_some() {
                return Err(Problem::invalid(name, format!("the parameter \"{name}\" is given twice")));
            }
            found = Some(self.0.swap_remove(at).1);
        }
        Ok(found.filter(|value| !value.is_empty()))
    }

    pub(crate) fn database(&mut self) -> Result<Option<DatabaseName>, Problem> {
        let text = self.text("database", "database")?;
        text.map(|t| DatabaseName::parse(&t))
            .transpose()
            .map_err(|error| Problem::invalid("database", error.message()))
    }

    /// One of a few words.
    pub(crate) fn word<T>(
        &mut self,
        name: &str,
        other: &str,
        words: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name, other)? else { return Ok(None) };
        let parsed = parse(&text).map(Some);
        parsed.ok_or_else(|| Problem::invalid(name, format!("the parameter \"{name}\" must be {words}")))
    }

    pub(crate) fn number(&mut self, name: &str, least: usize, most: usize) -> Result<Option<usize>, Problem> {
        let words = format!("a whole number from {least} to {most}");
        // Digits alone: parse would take a sign.
        let digits =
            |text: &str| text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        self.word(name, name, &words, |text| digits(text).filter(|n| (least..=most).contains(n)))
    }

    /// `true` or `false`, false when absent.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        let parsed = self.word(name, name, "true or false", |text| match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })?;
        Ok(parsed.unwrap_or(false))
    }

    /// An instant, or a day, which is its first moment in UTC.
    pub(crate) fn instant(&mut self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let words = "a time such as 2026-11-21T02:00:00Z or a day such as 2026-11-21";
        self.word(name, name, words, |text| {
            text.parse().ok().or_else(|| {
                let day: Date = text.parse().ok()?;
                Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
            })
        })
    }

    /// Refuses what nobody took.
    pub(crate) fn end(self) -> Result<(), Problem> {
        let Some((name, _)) = self.0.first() else { return Ok(()) };
        let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
        Err(Problem::invalid(&shown, format!("the parameter \"{shown}\" is not known")))
    }
}
