//! Definitions in the Amazon States Language, query language JSONPath. What is not supported is refused by the names of state and field.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    choice::{self, Choice},
    fields::{Fields, Number},
    json_path::{Path, Scope},
    map::MapState,
    retry::{self, Catcher, Retrier},
    task::TaskState,
    template::Template,
};

/// Seconds that Wait and time-outs may last.
const SECONDS: std::ops::RangeInclusive<f64> = 0.0..=99_999_999.0;

/// A state machine, or the ItemProcessor of a Map.
#[derive(Debug)]
pub struct Machine {
    /// Name of the first state.
    pub start_at: String,
    /// TimeoutSeconds of the whole.
    pub timeout: Option<Duration>,
    states: BTreeMap<String, State>,
}

/// One state.
#[derive(Debug)]
pub struct State {
    /// Its name.
    pub name: String,
    /// InputPath.
    pub input_path: Selection,
    /// OutputPath.
    pub output_path: Selection,
    /// ResultSelector.
    pub result_selector: Option<Template>,
    /// ResultPath; `None` throws the result away.
    pub result_path: Option<Path>,
    /// Retry.
    pub retry: Vec<Retrier>,
    /// Catch.
    pub catch: Vec<Catcher>,
    /// Next; `None` ends the machine.
    pub next: Option<String>,
    /// What it does.
    pub kind: Kind,
}

/// InputPath and OutputPath.
#[derive(Debug)]
pub enum Selection {
    /// `null`: an empty object.
    Empty,
    /// A path.
    At(Path),
}

/// What a state does.
#[derive(Debug)]
pub enum Kind {
    /// Pass, with Result or Parameters.
    Pass(Option<Template>),
    /// Task.
    Task(TaskState),
    /// Map.
    Map(Box<MapState>),
    /// Choice and its Default.
    Choice(Vec<Choice>, Option<String>),
    /// Wait, in seconds.
    Wait(Number),
    /// Succeed.
    Succeed,
    /// Fail: error and cause.
    Fail(Option<Template>, Option<Template>),
}

impl Machine {
    /// Reads a whole definition.
    ///
    /// # Errors
    /// A sentence naming state and field.
    pub fn parse(definition: Value) -> Result<Self, String> {
        let mut top = Fields::of("the definition", definition)?;
        top.only("Version", "1.0")?;
        let timeout = match top.number("TimeoutSeconds", 1.0..=99_999_999.0, true)? {
            None => None,
            Some(Number::Fixed(seconds)) => Some(Duration::from_secs_f64(seconds)),
            Some(Number::At { field, .. }) => return Err(top.wrong(&field, "is not supported")),
        };
        Ok(Self { timeout, ..Self::of(top)? })
    }

    /// Reads StartAt and States.
    ///
    /// # Errors
    /// A sentence naming state and field.
    pub fn of(mut top: Fields) -> Result<Self, String> {
        top.text("Comment")?;
        top.only("QueryLanguage", "JSONPath")?;
        let start_at = top.required_text("StartAt")?;
        let Value::Object(states) = top.required("States")? else {
            return Err(top.wrong("States", "is not an object"));
        };
        let parsed = states.into_iter().map(|(name, state)| Ok((name.clone(), State::parse(name, state)?)));
        let states: BTreeMap<_, _> = parsed.collect::<Result<_, String>>()?;
        if !states.contains_key(&start_at) {
            return Err(top.wrong("StartAt", &format!("names no state: {start_at}")));
        }
        top.end()?;
        for state in states.values() {
            if let Some(missing) = state.targets().find(|t| !states.contains_key(*t)) {
                return Err(format!("state \"{}\": field Next names no state: {missing}", state.name));
            }
        }
        let reached =
            |name: &String| *name == start_at || states.values().any(|s| s.targets().any(|t| t == name));
        if let Some(lost) = states.keys().find(|name| !reached(name)) {
            return Err(format!("state \"{lost}\": nothing leads to it"));
        }
        Ok(Self { start_at, timeout: None, states })
    }

    /// A state by its name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.get(name)
    }
}

impl State {
    fn parse(name: String, value: Value) -> Result<Self, String> {
        let mut fields = Fields::of(&format!("state \"{name}\""), value)?;
        let f = &mut fields;
        f.text("Comment")?;
        f.only("QueryLanguage", "JSONPath")?;
        let type_ = f.required_text("Type")?;
        let type_ = type_.as_str();
        let kind = match type_ {
            "Pass" => {
                let result = f.take("Result");
                match (result, f.template("Parameters", Scope::State)?) {
                    (Some(_), Some(_)) => return Err(f.wrong("Result", "must not stand beside Parameters")),
                    (result, parameters) => Kind::Pass(result.map(Template::Fixed).or(parameters)),
                }
            }
            "Task" => Kind::Task(TaskState::parse(f)?),
            "Map" => Kind::Map(Box::new(MapState::parse(f)?)),
            "Choice" => Kind::Choice(choice::choices(f)?, f.text("Default")?),
            "Wait" => Kind::Wait(
                f.number("Seconds", SECONDS, true)?.ok_or_else(|| f.wrong("Seconds", "is missing"))?,
            ),
            "Succeed" => Kind::Succeed,
            "Fail" => Kind::Fail(text_or_path(f, "Error")?, text_or_path(f, "Cause")?),
            other => return Err(f.wrong("Type", &format!("is {other}, which is not supported"))),
        };
        let (works, moves) =
            (matches!(type_, "Task" | "Map"), !matches!(type_, "Choice" | "Succeed" | "Fail"));
        let whole = || Path::parse("$", Scope::State);
        let state = Self {
            input_path: if type_ == "Fail" { Selection::At(whole()?) } else { selection(f, "InputPath")? },
            output_path: if type_ == "Fail" { Selection::At(whole()?) } else { selection(f, "OutputPath")? },
            result_selector: if works { f.template("ResultSelector", Scope::State)? } else { None },
            result_path: if works || type_ == "Pass" { retry::result_path(f)? } else { Some(whole()?) },
            retry: if works { retry::retriers(f)? } else { Vec::new() },
            catch: if works { retry::catchers(f)? } else { Vec::new() },
            next: if moves { next(f)? } else { None },
            name,
            kind,
        };
        fields.end()?;
        Ok(state)
    }

    fn targets(&self) -> impl Iterator<Item = &String> {
        let (choices, default) = match &self.kind {
            Kind::Choice(choices, default) => (choices.as_slice(), default.as_ref()),
            _ => (&[][..], None),
        };
        let caught = self.catch.iter().map(|c| &c.next);
        self.next.iter().chain(choices.iter().map(|c| &c.next)).chain(default).chain(caught)
    }
}

fn next(fields: &mut Fields) -> Result<Option<String>, String> {
    match (fields.text("Next")?, fields.take("End")) {
        (Some(next), None | Some(Value::Bool(false))) => Ok(Some(next)),
        (None, Some(Value::Bool(true))) => Ok(None),
        _ => Err(fields.wrong("Next", "or End: true must be there, and not both")),
    }
}

fn selection(fields: &mut Fields, name: &str) -> Result<Selection, String> {
    match fields.take(name) {
        None => Path::parse("$", Scope::State).map(Selection::At),
        Some(Value::Null) => Ok(Selection::Empty),
        Some(Value::String(text)) => Path::parse(&text, Scope::State)
            .map(Selection::At)
            .map_err(|e| fields.wrong(name, &format!("is wrong: {e}"))),
        Some(_) => Err(fields.wrong(name, "is not a path")),
    }
}

fn text_or_path(fields: &mut Fields, name: &str) -> Result<Option<Template>, String> {
    let field = format!("{name}Path");
    match (fields.text(name)?, fields.path(&field)?) {
        (Some(_), Some(_)) => Err(fields.wrong(name, &format!("must not stand beside {field}"))),
        (text, path) => {
            Ok(text.map(|t| Template::Fixed(t.into())).or(path.map(|p| Template::From(p, field))))
        }
    }
}
