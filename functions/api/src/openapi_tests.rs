//! The document against its golden file, against itself, and against the records that are answered.

use std::collections::BTreeSet;

use pgbaton::ledger::Record;
use serde::{
    Deserialize,
    de::{self, Visitor},
};
use serde_json::Value;

use super::*;

fn generated() -> (String, Value) {
    let text = format!("{}\n", Document::new(crate::router::described()).text().unwrap());
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

fn operations(api: &Value) -> Vec<(String, &Value)> {
    let paths = api["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    each.collect()
}

/// `PGBATON_REWRITE=1` writes the file anew.
#[test]
fn the_document_is_the_golden_file() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let (text, _) = generated();
    if std::env::var_os("PGBATON_REWRITE").is_some() {
        std::fs::write(file, &text).unwrap();
    }
    let golden = std::fs::read_to_string(file).unwrap_or_default();
    let differs = text.lines().zip(golden.lines()).position(|(now, then)| now != then);
    assert!(
        text == golden,
        "functions/api/openapi.json differs from line {differs:?} on: PGBATON_REWRITE=1 writes it anew"
    );
}

#[test]
fn every_call_says_what_it_is_who_may_and_what_it_answers() {
    let (_, api) = generated();
    assert_eq!(api["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&api) {
        assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{name}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}: its operation id is taken");
        let scopes = operation["security"][0]["bearer"].as_array();
        let about = operation["tags"][0] == "about" || name == "get /backup/health";
        assert_eq!(scopes.is_none(), about, "{name} names no scope");
        for scope in scopes.into_iter().flatten() {
            assert!(
                ["backup:read", "backup:write", "backup:restore", "backup:admin"]
                    .contains(&scope.as_str().unwrap())
            );
        }
        for in_path in name.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(
                parameters.iter().any(|p| p["name"] == in_path && p["in"] == "path"),
                "{name}: {in_path}"
            );
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let described = response["$ref"].is_string() || response["content"].is_object();
            assert!(described, "{name} {status} has no body");
        }
    }
    assert!(ids.len() > 30, "{ids:?}");
}

#[test]
fn every_schema_is_described() {
    let (_, api) = generated();
    let schemas = api["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let mut all = std::iter::once(property).chain(property["oneOf"].as_array().into_iter().flatten());
            assert!(all.any(|p| p["description"].is_string()), "{name}.{field} is not described");
            // What utoipa makes of an inline enum in a field: no value is a text and an object.
            assert!(property["allOf"].is_null(), "{name}.{field} fits nothing");
        }
    }
}

/// Tells the names of the fields that a type reads, without reading any.
struct Names<'a>(&'a mut Vec<&'static str>);

impl<'de> de::Deserializer<'de> for Names<'_> {
    type Error = de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields);
        Err(de::Error::custom("told"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("not a struct"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

#[test]
fn records_have_the_fields_that_are_described() {
    let mut fields = Vec::new();
    let _ = Record::deserialize(Names(&mut fields));
    let internal = crate::backups::INTERNAL;
    let shown: BTreeSet<&str> = fields.into_iter().filter(|field| !internal.contains(field)).collect();
    assert!(shown.len() > 30);
    let (_, api) = generated();
    let schema = &api["components"]["schemas"]["RunRecord"];
    let mut described: BTreeSet<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(described.remove("warning_count"), "which lists alone have");
    assert_eq!(shown, described, "documents/record.rs describes the record of the ledger");
}
