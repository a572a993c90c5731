//! The rules of a Choice state.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    failure::Failure,
    fields::Fields,
    json_path::{Data, Path},
};

/// A rule with the state it leads to.
#[derive(Debug, Clone)]
pub struct Choice {
    rule: Rule,
    /// The state.
    pub next: String,
}

#[derive(Debug, Clone)]
enum Rule {
    And(Vec<Rule>),
    Or(Vec<Rule>),
    Not(Box<Rule>),
    Present(Path, bool),
    Is(Path, Kind, bool),
    Compare(Path, Kind, Comparison, Operand),
    Matches(Path, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Numeric,
    Boolean,
    Null,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equals,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
enum Operand {
    Fixed(Value),
    At(Path),
}

/// Longer suffixes before those they end with.
const COMPARISONS: &[(&str, Comparison)] = &[
    ("LessThanEquals", Comparison::LessOrEqual),
    ("GreaterThanEquals", Comparison::GreaterOrEqual),
    ("LessThan", Comparison::Less),
    ("GreaterThan", Comparison::Greater),
    ("Equals", Comparison::Equals),
];
const KINDS: &[(&str, Kind)] =
    &[("String", Kind::String), ("Numeric", Kind::Numeric), ("Boolean", Kind::Boolean)];
const TESTS: &[(&str, Kind)] = &[
    ("IsString", Kind::String),
    ("IsNumeric", Kind::Numeric),
    ("IsBoolean", Kind::Boolean),
    ("IsNull", Kind::Null),
];

/// Reads Choices.
///
/// # Errors
/// A refusal.
pub fn choices(state: &mut Fields) -> Result<Vec<Choice>, String> {
    let items = state.objects("Choices")?;
    if items.is_empty() {
        return Err(state.wrong("Choices", "is missing or empty"));
    }
    let one = |mut item: Fields| {
        let next = item.required_text("Next")?;
        item.text("Comment")?;
        Ok(Choice { rule: rule(item)?, next })
    };
    items.into_iter().map(one).collect()
}

fn rule(mut item: Fields) -> Result<Rule, String> {
    for (name, all) in [("And", Rule::And as fn(Vec<Rule>) -> Rule), ("Or", Rule::Or)] {
        let parts = item.objects(name)?;
        if !parts.is_empty() {
            item.end()?;
            return parts.into_iter().map(rule).collect::<Result<_, _>>().map(all);
        }
    }
    if let Some(inner) = item.object("Not")? {
        item.end()?;
        return Ok(Rule::Not(Box::new(rule(inner)?)));
    }
    let variable = item.path("Variable")?.ok_or_else(|| item.wrong("Variable", "is missing"))?;
    let test = test(variable, &mut item)?;
    let without = item.wrong("Variable", "stands without a comparison");
    item.end()?;
    test.ok_or(without)
}

fn test(variable: Path, item: &mut Fields) -> Result<Option<Rule>, String> {
    let mut flag = |name: &str| match item.take(name) {
        None => Ok(None),
        Some(value) => value.as_bool().map(Some).ok_or_else(|| item.wrong(name, "is not a boolean")),
    };
    if let Some(wanted) = flag("IsPresent")? {
        return Ok(Some(Rule::Present(variable, wanted)));
    }
    for (name, kind) in TESTS {
        if let Some(wanted) = flag(name)? {
            return Ok(Some(Rule::Is(variable, *kind, wanted)));
        }
    }
    if let Some(pattern) = item.text("StringMatches")? {
        if pattern.contains('\\') {
            return Err(item.wrong("StringMatches", "has a backslash, which is not supported"));
        }
        return Ok(Some(Rule::Matches(variable, pattern)));
    }
    for (prefix, kind) in KINDS {
        for (suffix, comparison) in COMPARISONS {
            if *kind == Kind::Boolean && !matches!(comparison, Comparison::Equals) {
                continue;
            }
            let name = format!("{prefix}{suffix}");
            if let Some(value) = item.take(&name) {
                if !is(&value, *kind) {
                    return Err(item.wrong(&name, "has a value of another type"));
                }
                return Ok(Some(Rule::Compare(variable, *kind, *comparison, Operand::Fixed(value))));
            }
            if let Some(path) = item.path(&format!("{name}Path"))? {
                return Ok(Some(Rule::Compare(variable, *kind, *comparison, Operand::At(path))));
            }
        }
    }
    Ok(None)
}

/// The state that the first rule that holds leads to.
///
/// # Errors
/// `States.Runtime` when a path names nothing.
pub fn choose<'a>(all: &'a [Choice], data: Data<'_>) -> Result<Option<&'a str>, Failure> {
    for choice in all {
        if choice.rule.holds(data)? {
            return Ok(Some(&choice.next));
        }
    }
    Ok(None)
}

impl Rule {
    fn holds(&self, data: Data<'_>) -> Result<bool, Failure> {
        let value = |path: &Path| {
            path.get(data).cloned().ok_or_else(|| {
                Failure::runtime(format!(
                    "Invalid path '{path}': The choice state's condition path references an invalid value."
                ))
            })
        };
        Ok(match self {
            Self::And(all) => {
                for rule in all {
                    if !rule.holds(data)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(any) => {
                for rule in any {
                    if rule.holds(data)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(rule) => !rule.holds(data)?,
            Self::Present(path, wanted) => path.get(data).is_some() == *wanted,
            Self::Is(path, kind, wanted) => is(&value(path)?, *kind) == *wanted,
            Self::Matches(path, pattern) => value(path)?.as_str().is_some_and(|text| glob(pattern, text)),
            Self::Compare(path, kind, comparison, operand) => {
                let (left, right) = (
                    value(path)?,
                    match operand {
                        Operand::Fixed(fixed) => fixed.clone(),
                        Operand::At(path) => value(path)?,
                    },
                );
                is(&left, *kind) && is(&right, *kind) && comparison.holds(order(&left, &right))
            }
        })
    }
}

impl Comparison {
    fn holds(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Equals => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::Greater => order.is_gt(),
            Self::LessOrEqual => order.is_le(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

fn is(value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::String => value.is_string(),
        Kind::Numeric => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Null => value.is_null(),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(l), Value::String(r)) => Some(l.cmp(r)),
        (Value::Bool(l), Value::Bool(r)) => Some(l.cmp(r)),
        (Value::Number(l), Value::Number(r)) => l.as_f64().partial_cmp(&r.as_f64()),
        _ => None,
    }
}

/// `*` stands for any characters.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    (0..=text.len()).filter_map(|at| text.get(at..)).any(|text| glob(rest, text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(rule: Value, input: &Value) -> bool {
        let mut rule = rule;
        rule["Next"] = "N".into();
        let all = choices(&mut Fields::of("state \"S\"", json!({"Choices": [rule]})).unwrap()).unwrap();
        choose(&all, Data { input, context: &Value::Null }).unwrap().is_some()
    }

    #[test]
    fn rules() {
        let input = json!({"n": 25, "s": "foo23.log", "b": true, "nothing": null, "limit": 30});
        let v = |extra: Value| {
            let mut rule = json!({"Variable": "$.n"});
            rule.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            holds(rule, &input)
        };
        assert!(v(json!({"NumericEquals": 25.0})) && v(json!({"NumericLessThanPath": "$.limit"})));
        assert!(v(json!({"NumericGreaterThanEquals": 25})) && !v(json!({"NumericGreaterThan": 25})));
        assert!(
            v(json!({"IsNumeric": true})) && v(json!({"IsNull": false})) && !v(json!({"StringEquals": "25"}))
        );
        assert!(holds(json!({"Variable": "$.s", "StringMatches": "foo*.log"}), &input));
        assert!(!holds(json!({"Variable": "$.s", "StringMatches": "foo*.lo"}), &input));
        assert!(holds(json!({"Variable": "$.x", "IsPresent": false}), &input));
        assert!(holds(
            json!({"And": [{"Variable": "$.b", "BooleanEquals": true}, {"Not": {"Variable": "$.s", "StringLessThan": "a"}}]}),
            &input
        ));
        assert!(holds(
            json!({"Or": [{"Variable": "$.nothing", "IsNull": false}, {"Variable": "$.s", "IsString": true}]}),
            &input
        ));
    }

    #[test]
    fn wrong_rules_are_refused() {
        for (rule, part) in [
            (
                json!({"Variable": "$.a", "TimestampEquals": "2026-01-01T00:00:00Z", "Next": "N"}),
                "TimestampEquals",
            ),
            (json!({"Variable": "$.a", "StringEquals": "x"}), "Next"),
            (json!({"Variable": "$.a", "NumericEquals": "x", "Next": "N"}), "another type"),
            (
                json!({"Variable": "$.a", "IsNull": true, "IsString": true, "Next": "N"}),
                "IsNull is not supported",
            ),
            (json!({"Variable": "$.a", "Next": "N"}), "without a comparison"),
        ] {
            let e = choices(&mut Fields::of("state \"S\"", json!({"Choices": [rule]})).unwrap()).unwrap_err();
            assert!(e.contains(part), "{e}");
        }
    }
}
