//! A JSON object of a definition, taken apart field by field. What nobody took is refused by name, so that nothing is silently ignored.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::{
    failure::Failure,
    json_path::{Data, Path, Scope},
    template::Template,
};

/// The fields not yet taken, and where they stand.
pub struct Fields {
    place: String,
    prefix: String,
    left: Map<String, Value>,
}

impl Fields {
    /// The fields of `value`; `place` begins every refusal, such as `state "Copy"`.
    ///
    /// # Errors
    /// When it is no object.
    pub fn of(place: &str, value: Value) -> Result<Self, String> {
        match value {
            Value::Object(left) => Ok(Self { place: place.to_owned(), prefix: String::new(), left }),
            _ => Err(format!("{place}: it is not an object")),
        }
    }

    /// A refusal of the field `name`.
    pub fn wrong(&self, name: &str, why: &str) -> String {
        format!("{}: field {}{name} {why}", self.place, self.prefix)
    }

    /// Takes a field.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name)
    }

    /// Takes a field that must be there.
    ///
    /// # Errors
    /// A refusal.
    pub fn required(&mut self, name: &str) -> Result<Value, String> {
        self.take(name).ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// Takes a string.
    ///
    /// # Errors
    /// A refusal.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "is not a string")),
        }
    }

    /// Takes a string that must be there.
    ///
    /// # Errors
    /// A refusal.
    pub fn required_text(&mut self, name: &str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// Takes a field that may only have one value.
    ///
    /// # Errors
    /// A refusal.
    pub fn only(&mut self, name: &str, value: &str) -> Result<(), String> {
        match self.text(name)? {
            Some(other) if other != value => {
                Err(self.wrong(name, &format!("is {other}; only {value} is supported")))
            }
            _ => Ok(()),
        }
    }

    /// Takes an object.
    ///
    /// # Errors
    /// A refusal.
    pub fn object(&mut self, name: &str) -> Result<Option<Self>, String> {
        let prefix = format!("{}{name}.", self.prefix);
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(left)) => Ok(Some(Self { place: self.place.clone(), prefix, left })),
            Some(_) => Err(self.wrong(name, "is not an object")),
        }
    }

    /// Takes an array of objects.
    ///
    /// # Errors
    /// A refusal.
    pub fn objects(&mut self, name: &str) -> Result<Vec<Self>, String> {
        let items = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.wrong(name, "is not an array")),
        };
        let one = |(i, item)| match item {
            Value::Object(left) => {
                Ok(Self { place: self.place.clone(), prefix: format!("{}{name}[{i}].", self.prefix), left })
            }
            _ => Err(self.wrong(name, "holds what is not an object")),
        };
        items.into_iter().enumerate().map(one).collect()
    }

    /// Takes a path.
    ///
    /// # Errors
    /// A refusal.
    pub fn path(&mut self, name: &str) -> Result<Option<Path>, String> {
        let text = self.text(name)?;
        text.map(|t| Path::parse(&t, Scope::State))
            .transpose()
            .map_err(|e| self.wrong(name, &format!("is wrong: {e}")))
    }

    /// Takes a payload template.
    ///
    /// # Errors
    /// A refusal.
    pub fn template(&mut self, name: &str, scope: Scope) -> Result<Option<Template>, String> {
        let value = self.take(name);
        value
            .map(|v| Template::parse(v, scope))
            .transpose()
            .map_err(|e| self.wrong(name, &format!("is wrong: {e}")))
    }

    /// Takes a value given as `name` or by a path as `name.$`.
    ///
    /// # Errors
    /// A refusal.
    pub fn value_or_path(&mut self, name: &str) -> Result<Option<Template>, String> {
        let field = format!("{name}.$");
        match (self.left.contains_key(name), self.take(&field)) {
            (true, Some(_)) => Err(self.wrong(name, "is there twice")),
            (_, None) => self.template(name, Scope::State),
            (false, Some(path)) => Template::path(&path, &field, Scope::State)
                .map(Some)
                .map_err(|e| self.wrong(&field, &format!("is wrong: {e}"))),
        }
    }

    /// Takes a number given as `name` or by a path as `nameBy`, where `By` is `Path`.
    ///
    /// # Errors
    /// A refusal.
    pub fn number(
        &mut self,
        name: &str,
        range: RangeInclusive<f64>,
        whole: bool,
    ) -> Result<Option<Number>, String> {
        let field = format!("{name}Path");
        let path = self.path(&field)?;
        match (self.take(name), path) {
            (Some(_), Some(_)) => Err(self.wrong(name, &format!("must not stand beside {field}"))),
            (None, None) => Ok(None),
            (None, Some(path)) => Ok(Some(Number::At { path, field, range, whole })),
            (Some(value), None) => {
                match within(&value, &range, whole) {
                    Some(n) => Ok(Some(Number::Fixed(n))),
                    None => Err(self
                        .wrong(name, &format!("is not a number from {} to {}", range.start(), range.end()))),
                }
            }
        }
    }

    /// Refuses what was not taken.
    ///
    /// # Errors
    /// A refusal of the first field.
    pub fn end(self) -> Result<(), String> {
        match self.left.keys().next() {
            Some(name) => Err(self.wrong(name, "is not supported")),
            None => Ok(()),
        }
    }
}

/// A number of a definition.
#[derive(Debug, Clone)]
pub enum Number {
    /// As it stands.
    Fixed(f64),
    /// From the state's input.
    At {
        /// Where.
        path: Path,
        /// The field that asks.
        field: String,
        /// What it may be.
        range: RangeInclusive<f64>,
        /// Whether it has no fraction.
        whole: bool,
    },
}

impl Number {
    /// The number.
    ///
    /// # Errors
    /// `States.Runtime` when the path names no such number.
    pub fn resolve(&self, data: Data<'_>) -> Result<f64, Failure> {
        match self {
            Self::Fixed(n) => Ok(*n),
            Self::At { path, field, range, whole } => {
                path.get(data).and_then(|v| within(v, range, *whole)).ok_or_else(|| {
                    Failure::runtime(format!(
                        "The {field} '{path}' does not name a number from {} to {}",
                        range.start(),
                        range.end()
                    ))
                })
            }
        }
    }
}

fn within(value: &Value, range: &RangeInclusive<f64>, whole: bool) -> Option<f64> {
    value.as_f64().filter(|n| range.contains(n) && (!whole || n.fract() == 0.0))
}
