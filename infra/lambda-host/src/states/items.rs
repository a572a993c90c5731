//! The items of a Map state: read from the state's input or from an object in S3, selected one by one, and put into batches.

use serde_json::{Value, json};

use super::{
    execution::Run,
    failure::Failure,
    fields::{Fields, Number},
    json_path::{Data, Path, Scope},
    template::Template,
};

/// Where items come from and what becomes of them.
#[derive(Debug)]
pub struct Items {
    source: Source,
    selector: Option<Template>,
    batcher: Option<Batcher>,
}

#[derive(Debug)]
enum Source {
    /// ItemsPath.
    Input(Path),
    /// ItemReader.
    Object(Box<Object>),
}

#[derive(Debug)]
struct Object {
    bucket: Template,
    key: Template,
    most: Option<Number>,
}

#[derive(Debug)]
struct Batcher {
    most: Number,
    input: Option<Template>,
}

/// The input of one iteration, and how many items are in it.
#[derive(Debug, PartialEq)]
pub struct Child {
    /// Its input.
    pub input: Value,
    /// One, or the items of the batch.
    pub items: usize,
}

impl Items {
    /// Reads ItemsPath, ItemReader, ItemSelector and ItemBatcher.
    ///
    /// # Errors
    /// A refusal.
    pub fn parse(state: &mut Fields) -> Result<Self, String> {
        let path = state.path("ItemsPath")?;
        let source = match (state.object("ItemReader")?, path) {
            (Some(_), Some(_)) => return Err(state.wrong("ItemsPath", "beside ItemReader is not supported")),
            (Some(reader), None) => object(reader)?,
            (None, Some(path)) => Source::Input(path),
            (None, None) => Source::Input(Path::parse("$", Scope::State)?),
        };
        let selector = state.template("ItemSelector", Scope::Item)?;
        let batcher = match state.object("ItemBatcher")? {
            None => None,
            Some(mut fields) => {
                let most = fields.number("MaxItemsPerBatch", 1.0..=99_999_999.0, true)?;
                let most = most.ok_or_else(|| fields.wrong("MaxItemsPerBatch", "is missing"))?;
                let input = fields.template("BatchInput", Scope::State)?;
                fields.end()?;
                Some(Batcher { most, input })
            }
        };
        Ok(Self { source, selector, batcher })
    }

    /// The inputs of all iterations.
    ///
    /// # Errors
    /// `States.ItemReaderFailed`, and what paths that name nothing give.
    pub async fn read(&self, run: &Run, data: Data<'_>) -> Result<Vec<Child>, Failure> {
        let items = match &self.source {
            Source::Input(path) => match path.get(data) {
                Some(Value::Array(items)) => items.clone(),
                _ => return Err(Failure::runtime(format!("The ItemsPath '{path}' names no array"))),
            },
            Source::Object(object) => {
                let (bucket, key) = (object.bucket.apply(data)?, object.key.apply(data)?);
                let (Some(bucket), Some(key)) = (bucket.as_str(), key.as_str()) else {
                    return Err(unread("Bucket and Key must be strings"));
                };
                let mut items = array(&run.platform.object(bucket, key).await.map_err(|e| unread(&e))?)?;
                if let Some(most) = &object.most {
                    items.truncate(most.resolve(data)? as usize);
                }
                items
            }
        };
        let items = self.select(items, data)?;
        let Some(batcher) = &self.batcher else {
            return Ok(items.into_iter().map(|input| Child { input, items: 1 }).collect());
        };
        let most = batcher.most.resolve(data)? as usize;
        let input = batcher.input.as_ref().map(|t| t.apply(data)).transpose()?;
        let batch = |items: &[Value]| {
            let mut batch = json!({"Items": items});
            if let Some(input) = &input {
                batch["BatchInput"] = input.clone();
            }
            Child { input: batch, items: items.len() }
        };
        Ok(items.chunks(most.max(1)).map(batch).collect())
    }

    fn select(&self, items: Vec<Value>, data: Data<'_>) -> Result<Vec<Value>, Failure> {
        let Some(selector) = &self.selector else { return Ok(items) };
        let mut context = data.context.clone();
        let one = |(index, item)| {
            context["Map"] = json!({"Item": {"Index": index, "Value": item}});
            selector.apply(Data { input: data.input, context: &context })
        };
        items.into_iter().enumerate().map(one).collect()
    }
}

fn object(mut reader: Fields) -> Result<Source, String> {
    reader.only("Resource", "arn:aws:states:::s3:getObject")?;
    let mut config =
        reader.object("ReaderConfig")?.ok_or_else(|| reader.wrong("ReaderConfig", "is missing"))?;
    let kind = config.required("InputType")?;
    if kind != "JSON" {
        return Err(config.wrong("InputType", &format!("is {kind}; only JSON is supported")));
    }
    let most = config.number("MaxItems", 1.0..=100_000_000.0, true)?;
    config.end()?;
    let mut parameters =
        reader.object("Parameters")?.ok_or_else(|| reader.wrong("Parameters", "is missing"))?;
    let mut place = |name: &str| {
        let given = parameters.value_or_path(name)?;
        given.ok_or_else(|| parameters.wrong(name, "is missing"))
    };
    let (bucket, key) = (place("Bucket")?, place("Key")?);
    parameters.end()?;
    reader.end()?;
    Ok(Source::Object(Box::new(Object { bucket, key, most })))
}

fn array(body: &[u8]) -> Result<Vec<Value>, Failure> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(items)) => Ok(items),
        Ok(_) => Err(unread("the object does not hold a JSON array")),
        Err(e) => Err(unread(&format!("the object does not hold JSON: {e}"))),
    }
}

fn unread(why: &str) -> Failure {
    Failure::new("States.ItemReaderFailed", why)
}
