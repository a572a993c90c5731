//! Paths into a state's input (`$.a.b[0]`) and into the context object (`$$.Execution.Id`): reference paths, which name one value.

use serde_json::Value;

/// What the context object holds for every state.
const CONTEXT: &[&[&str]] = &[
    &["Execution", "Id"],
    &["Execution", "Input"],
    &["Execution", "Name"],
    &["Execution", "StartTime"],
    &["State", "EnteredTime"],
    &["State", "Name"],
    &["State", "RetryCount"],
    &["StateMachine", "Id"],
    &["StateMachine", "Name"],
];
/// What it holds besides within an ItemSelector.
const ITEM: &[&[&str]] = &[&["Map", "Item", "Index"], &["Map", "Item", "Value"]];

/// Where a path stands; an ItemSelector may also name the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Anywhere.
    State,
    /// Within an ItemSelector.
    Item,
}

/// A path that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    text: String,
    context: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

/// A state's input and its context object: what paths look into.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// `$`.
    pub input: &'a Value,
    /// `$$`.
    pub context: &'a Value,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// A sentence with the path.
    pub fn parse(text: &str, scope: Scope) -> Result<Self, String> {
        let wrong = |why: &str| format!("the path {text} {why}");
        let (context, mut rest) = match (text.strip_prefix("$$"), text.strip_prefix('$')) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) if text.starts_with("States.") => {
                return Err(format!("the intrinsic function {text} is not supported"));
            }
            (None, None) => return Err(wrong("does not begin with $")),
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest).ok_or_else(|| {
                wrong("is not a reference path (names and indexes); other JSONPath is not supported")
            })?;
            steps.push(step);
            rest = after;
        }
        let path = Self { text: text.to_owned(), context, steps };
        let known = path.is_among(CONTEXT) || path.is_among(&[ITEM, &[]].concat()) && scope == Scope::Item;
        if context && !known {
            return Err(wrong("names nothing of the context object that is supported here"));
        }
        Ok(path)
    }

    /// The value it names.
    pub fn get<'a>(&self, data: Data<'a>) -> Option<&'a Value> {
        let root = if self.context { data.context } else { data.input };
        self.steps.iter().try_fold(root, |value, step| match step {
            Step::Name(name) => value.as_object()?.get(name),
            Step::Index(index) => value.as_array()?.get(*index),
        })
    }

    /// `root` with `new` in the place it names; objects that are not there are made.
    ///
    /// # Errors
    /// A sentence when what is there has no such place.
    pub fn put(&self, mut root: Value, new: Value) -> Result<Value, String> {
        let mut at = &mut root;
        for step in &self.steps {
            let next = match step {
                Step::Name(name) => match at {
                    Value::Null => None,
                    Value::Object(fields) => {
                        Some(fields.entry(name).or_insert_with(|| Value::Object(Default::default())))
                    }
                    _ => None,
                },
                Step::Index(index) => at.as_array_mut().and_then(|array| array.get_mut(*index)),
            };
            at = next.ok_or_else(|| format!("{} cannot be applied to the input", self.text))?;
        }
        *at = new;
        Ok(root)
    }

    /// Whether it looks into the context object.
    pub fn is_context(&self) -> bool {
        self.context
    }

    fn is_among(&self, known: &[&[&str]]) -> bool {
        known.iter().any(|names| {
            names.len() <= self.steps.len()
                && names.iter().zip(&self.steps).all(|(n, s)| matches!(s, Step::Name(s) if s == n))
        })
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn step(rest: &str) -> Option<(Step, &str)> {
    if let Some(after) = rest.strip_prefix('.') {
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        return (!name.is_empty() && name.chars().all(plain)).then(|| (Step::Name(name.to_owned()), after));
    }
    let inner = rest.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote)?;
            return Some((Step::Name(name.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = inner.split_once(']')?;
    Some((Step::Index(index.parse().ok()?), after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found() {
        let input = json!({"a": {"b-c": [10, {"d": "x"}]}, "odd name": true, "none": null});
        let context = json!({"Execution": {"Id": "arn", "Input": {"k": 7}}, "Map": {"Item": {"Index": 3}}});
        let data = Data { input: &input, context: &context };
        let get = |text| Path::parse(text, Scope::Item).unwrap().get(data).cloned();
        assert_eq!(get("$"), Some(input.clone()));
        assert_eq!(get("$.a.b-c[0]"), Some(json!(10)));
        assert_eq!(get("$.a['b-c'][1].d"), Some(json!("x")));
        assert_eq!(get("$[\"odd name\"]"), Some(json!(true)));
        assert_eq!(get("$.none"), Some(json!(null)));
        assert_eq!(get("$$.Execution.Input.k"), Some(json!(7)));
        assert_eq!(get("$$.Map.Item.Index"), Some(json!(3)));
        for missing in ["$.b", "$.a[0]", "$.a.b-c[2]", "$.a.b-c.d", "$.none.x"] {
            assert_eq!(get(missing), None, "{missing}");
        }
    }

    #[test]
    fn other_paths_are_refused() {
        for text in [
            "$.a[*]",
            "$..a",
            "$.a[?(@.b)]",
            "$.a[1:2]",
            "$.a[-1]",
            "$.",
            "$a",
            "a",
            "",
            "$.a b",
            "$['a",
            "$[0",
            "$$",
            "$$.Task.Token",
            "$$.Execution",
            "$$.Execution.RoleArn",
        ] {
            assert!(Path::parse(text, Scope::Item).is_err(), "{text}");
        }
        assert!(Path::parse("$$.Map.Item.Value", Scope::State).is_err());
        assert!(Path::parse("States.UUID()", Scope::State).unwrap_err().contains("intrinsic"));
    }

    #[test]
    fn values_are_put() {
        let put = |text, root, new| Path::parse(text, Scope::State).unwrap().put(root, new);
        assert_eq!(put("$", json!({"a": 1}), json!(2)), Ok(json!(2)));
        assert_eq!(put("$.b", json!({"a": 1}), json!(2)), Ok(json!({"a": 1, "b": 2})));
        assert_eq!(put("$.a.b.c", json!({"x": 1}), json!(2)), Ok(json!({"x": 1, "a": {"b": {"c": 2}}})));
        assert_eq!(put("$.a[1]", json!({"a": [1, 2]}), json!(3)), Ok(json!({"a": [1, 3]})));
        assert!(put("$.a", json!([1]), json!(2)).is_err());
        assert!(put("$.a.b", json!({"a": 5}), json!(2)).is_err());
    }
}
