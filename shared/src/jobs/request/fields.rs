//! Taking the fields of a JSON object one by one, with errors that name the field as the caller spelt it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::unique::Unique;
use crate::{
    base::{Error, Kind, Result, id::RunId},
    jobs::secrets,
};

/// The fields of an object that are not taken yet.
pub(in crate::jobs) struct Fields {
    left: Map<String, Value>,
}

impl Fields {
    /// Parses a body; an empty one is an object without fields.
    pub(in crate::jobs) fn of_body(body: &[u8]) -> Result<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self { left: Map::new() });
        }
        let value: Unique = serde_json::from_slice(body)
            .map_err(|e| Error::new(Kind::InvalidInput, format!("the body is not JSON: {e}")))?;
        Self::of_value(value.0)
    }

    /// The fields of an object; null counts as an object without fields.
    pub(in crate::jobs) fn of_value(value: Value) -> Result<Self> {
        match value {
            Value::Object(left) => Ok(Self { left }),
            Value::Null => Ok(Self { left: Map::new() }),
            _ => Err(Error::new(Kind::InvalidInput, "the request must be a JSON object")),
        }
    }

    /// Takes a field, given its camelCase name: the value and the name as spelt. Null counts as absent.
    fn take(&mut self, name: &'static str) -> Result<Option<(Value, String)>> {
        let snake = snake(name);
        let camel_value = self.left.remove(name);
        let snake_value = if snake == name { None } else { self.left.remove(&snake) };
        let (value, spelt) = match (camel_value, snake_value) {
            (Some(_), Some(_)) => {
                return Err(wrong(name, format!("the field \"{name}\" is given twice, as \"{snake}\" too")));
            }
            (Some(value), None) => (value, name.to_owned()),
            (None, Some(value)) => (value, snake),
            (None, None) => return Ok(None),
        };
        Ok((!value.is_null()).then_some((value, spelt)))
    }

    /// A string of at most `most` characters without control characters, not empty.
    pub(in crate::jobs) fn text(&mut self, name: &'static str, most: usize) -> Result<Option<String>> {
        let Some((value, spelt)) = self.take(name)? else { return Ok(None) };
        match value {
            Value::String(s)
                if (1..=most).contains(&s.chars().count()) && !s.chars().any(char::is_control) =>
            {
                Ok(Some(s))
            }
            _ => Err(wrong(
                &spelt,
                format!(
                    "the field \"{spelt}\" must be a text of 1 to {most} characters without control characters"
                ),
            )),
        }
    }

    /// A string that `parse` understands; its errors are completed with the field.
    pub(in crate::jobs) fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some((value, spelt)) = self.take(name)? else { return Ok(None) };
        let Value::String(text) = value else {
            return Err(wrong(&spelt, format!("the field \"{spelt}\" must be a text")));
        };
        parse(&text).map(Some).map_err(|e| {
            Error::new(e.kind(), format!("the field \"{spelt}\" is wrong: {}", e.message())).at_field(spelt)
        })
    }

    /// A list of at most `most` texts that `parse` understands, with the field and the place in its errors; empty where there is none.
    pub(in crate::jobs) fn list<T>(
        &mut self,
        name: &'static str,
        most: usize,
        parse: impl Fn(&str) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Some((value, spelt)) = self.take(name)? else { return Ok(Vec::new()) };
        let Value::Array(values) = value else {
            return Err(wrong(&spelt, format!("the field \"{spelt}\" must be a list of texts")));
        };
        if values.len() > most {
            return Err(wrong(
                &spelt,
                format!("the field \"{spelt}\" must be a list of at most {most} texts"),
            ));
        }
        let mut all = Vec::with_capacity(values.len());
        for (number, value) in values.iter().enumerate() {
            let place = format!("{spelt}[{number}]");
            let Value::String(text) = value else {
                return Err(wrong(&place, format!("the field \"{place}\" must be a text")));
            };
            all.push(parse(text).map_err(|e| {
                Error::new(e.kind(), format!("the field \"{place}\" is wrong: {}", e.message()))
                    .at_field(place)
            })?);
        }
        Ok(all)
    }

    /// An object of the form that `T` has.
    pub(in crate::jobs) fn document<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>> {
        let Some((value, spelt)) = self.take(name)? else { return Ok(None) };
        let wrong = |e| wrong(&spelt, format!("the field \"{spelt}\" is wrong: {e}"));
        serde_json::from_value(value).map(Some).map_err(wrong)
    }

    /// An object of texts, whose names and values `parse` understands.
    pub(in crate::jobs) fn map(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<String>,
    ) -> Result<Option<BTreeMap<String, String>>> {
        let Some((value, spelt)) = self.take(name)? else { return Ok(None) };
        let Value::Object(pairs) = value else {
            return Err(wrong(&spelt, format!("the field \"{spelt}\" must be an object of texts")));
        };
        let mut all = BTreeMap::new();
        for (from, to) in &pairs {
            let Value::String(to) = to else {
                return Err(wrong(&spelt, format!("the field \"{spelt}\" must be an object of texts")));
            };
            let pair = parse(from).and_then(|from| Ok((from, parse(to)?)));
            let (from, to) =
                pair.map_err(|e| wrong(&spelt, format!("the field \"{spelt}\" is wrong: {}", e.message())))?;
            all.insert(from, to);
        }
        Ok(Some(all))
    }

    /// `true` or `false`.
    pub(in crate::jobs) fn flag(&mut self, name: &'static str) -> Result<Option<bool>> {
        let Some((value, spelt)) = self.take(name)? else { return Ok(None) };
        value
            .as_bool()
            .map(Some)
            .ok_or_else(|| wrong(&spelt, format!("the field \"{spelt}\" must be true or false")))
    }

    /// A whole number in a range.
    pub(in crate::jobs) fn number(
        &mut self,
        name: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>> {
        let Some((value, spelt)) = self.take(name)? else { return Ok(None) };
        value.as_u64().filter(|n| (least..=most).contains(n)).map(Some).ok_or_else(|| {
            wrong(&spelt, format!("the field \"{spelt}\" must be a whole number from {least} to {most}"))
        })
    }

    /// A run id.
    pub(in crate::jobs) fn id(&mut self, name: &'static str) -> Result<Option<RunId>> {
        self.parsed(name, RunId::parse)
    }

    /// An instant in RFC 3339 form.
    pub(in crate::jobs) fn instant(&mut self, name: &'static str) -> Result<Option<Timestamp>> {
        self.parsed(name, |text| {
            text.parse()
                .map_err(|_| Error::new(Kind::InvalidInput, "it must be a time such as 2026-11-21T02:00:00Z"))
        })
    }

    /// The name of a secret. The value is never repeated: it may be a connection string.
    pub(in crate::jobs) fn secret(&mut self, name: &'static str) -> Result<Option<String>> {
        self.parsed(name, |text| secrets::check_reference(text).map(|()| text.to_owned()))
    }

    /// The id of an event. `<aws.scheduler.execution-id>` still in angle brackets means that nobody replaced it: every
    /// event would look the same.
    pub(in crate::jobs) fn event_id(&mut self, name: &'static str) -> Result<Option<String>> {
        let id = self.text(name, 300)?;
        match id {
            Some(id) if id.contains("<aws.scheduler.") => Err(wrong(
                name,
                format!(
                    "the field \"{name}\" still holds the placeholder {id}; EventBridge Scheduler replaces it"
                ),
            )),
            id => Ok(id),
        }
    }

    /// A flag of something planned: false is fine, true is refused.
    pub(in crate::jobs) fn planned_flag(&mut self, name: &'static str) -> Result<()> {
        if self.flag(name)? == Some(true) { Err(planned(name)) } else { Ok(()) }
    }

    /// A text of something planned: refused whatever it says.
    pub(in crate::jobs) fn planned_text(&mut self, name: &'static str) -> Result<()> {
        if self.text(name, 300)?.is_some() { Err(planned(name)) } else { Ok(()) }
    }

    /// Refuses what nobody took.
    pub(in crate::jobs) fn end(self) -> Result<()> {
        let Some(name) = self.left.keys().next() else { return Ok(()) };
        let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
        Err(wrong(&shown, format!("the field \"{shown}\" is not known")))
    }

    /// Whether the object has this field, in exactly this spelling.
    pub(in crate::jobs) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// Adds a field that was not given.
    pub(in crate::jobs) fn put(&mut self, name: &str, value: Value) {
        self.left.insert(name.to_owned(), value);
    }

    /// Takes the value of a field as it is.
    pub(in crate::jobs) fn raw(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name)
    }
}

/// The error for a field.
pub(super) fn wrong(field: &str, message: String) -> Error {
    Error::new(Kind::InvalidInput, message).at_field(field.to_owned())
}

/// The error for something planned.
pub(super) fn planned(field: &'static str) -> Error {
    Error::new(Kind::NotAvailableYet, format!("\"{field}\" is planned and not available yet")).at_field(field)
}

fn snake(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 4);
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        assert_eq!(snake("includeSchemaOnly"), "include_schema_only");
        assert_eq!(snake("id"), "id");
        let mut both = Fields::of_body(br#"{"eventId": "a", "event_id": "b"}"#).unwrap();
        assert_eq!(both.text("eventId", 9).unwrap_err().field(), Some("eventId"));
    }

    #[test]
    fn an_event_id_that_nobody_replaced_is_refused() {
        let mut f = Fields::of_body(br#"{"eventId": "<aws.scheduler.execution-id>"}"#).unwrap();
        assert_eq!(f.event_id("eventId").unwrap_err().kind(), Kind::InvalidInput);
    }
}
