//! Payload templates: JSON whose fields named `….$` take their values from paths.

use serde_json::{Map, Value};

use super::{
    failure::Failure,
    json_path::{Data, Path, Scope},
};

/// A template that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// A value as it stands.
    Fixed(Value),
    /// The value of a path, and the name of the field that asks for it.
    From(Path, String),
    /// An object of templates.
    Object(Vec<(String, Template)>),
    /// An array of templates.
    Array(Vec<Template>),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence with the field at fault.
    pub fn parse(value: Value, scope: Scope) -> Result<Self, String> {
        match value {
            Value::Object(fields) => {
                let mut all: Vec<(String, Self)> = Vec::new();
                for (name, value) in fields {
                    let (name, template) = match name.strip_suffix(".$") {
                        Some(short) => (short.to_owned(), Self::path(&value, &name, scope)?),
                        None => (name, Self::parse(value, scope)?),
                    };
                    if all.iter().any(|(n, _)| *n == name) {
                        return Err(format!("{name} is there twice"));
                    }
                    all.push((name, template));
                }
                Ok(Self::Object(all))
            }
            Value::Array(items) => items
                .into_iter()
                .map(|item| Self::parse(item, scope))
                .collect::<Result<_, _>>()
                .map(Self::Array),
            fixed => Ok(Self::Fixed(fixed)),
        }
    }

    /// The template of one field whose name ends in `.$`.
    ///
    /// # Errors
    /// A sentence with the field.
    pub fn path(value: &Value, field: &str, scope: Scope) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| format!("{field} is not a path"))?;
        let path = Path::parse(text, scope).map_err(|e| format!("{field}: {e}"))?;
        Ok(Self::From(path, field.to_owned()))
    }

    /// The JSON that it makes of `data`.
    ///
    /// # Errors
    /// `States.ParameterPathFailure` when a path names nothing.
    pub fn apply(&self, data: Data<'_>) -> Result<Value, Failure> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::From(path, field) => path.get(data).cloned().ok_or_else(|| {
                let cause = format!(
                    "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{}'",
                    data.input
                );
                Failure::new("States.ParameterPathFailure", cause)
            }),
            Self::Object(fields) => {
                let made: Result<Map<String, Value>, Failure> =
                    fields.iter().map(|(name, t)| Ok((name.clone(), t.apply(data)?))).collect();
                made.map(Value::Object)
            }
            Self::Array(items) => {
                items.iter().map(|t| t.apply(data)).collect::<Result<_, _>>().map(Value::Array)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_filled() {
        let template = json!({"a.$": "$.x", "b": {"c.$": "$$.State.Name", "d": 1}, "e": [{"f.$": "$.x.y"}]});
        let template = Template::parse(template, Scope::State).unwrap();
        let (input, context) = (json!({"x": {"y": 2}}), json!({"State": {"Name": "S"}}));
        let data = Data { input: &input, context: &context };
        assert_eq!(
            template.apply(data).unwrap(),
            json!({"a": {"y": 2}, "b": {"c": "S", "d": 1}, "e": [{"f": 2}]})
        );
        let data = Data { input: &json!({"x": 1}), context: &context };
        assert_eq!(template.apply(data).unwrap_err().error, "States.ParameterPathFailure");
    }

    #[test]
    fn wrong_templates_are_refused() {
        for (template, part) in [
            (json!({"a.$": 1}), "a.$ is not a path"),
            (json!({"a": [{"b.$": "x"}]}), "b.$"),
            (json!({"a.$": "States.UUID()"}), "intrinsic"),
            (json!({"a": 1, "a.$": "$"}), "twice"),
        ] {
            let e = Template::parse(template, Scope::State).unwrap_err();
            assert!(e.contains(part), "{e}");
        }
    }
}
