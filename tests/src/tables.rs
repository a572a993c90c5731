//! The two DynamoDB tables of a deployment, made anew for a test in the AWS stand-in, with the keys that the ledger asks for.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType,
    },
};
use pgbaton::ledger::Ledger;

/// A pair of tables that nobody else uses.
pub struct Tables {
    /// The configuration of the stand-in.
    pub aws: SdkConfig,
    /// A client to the stand-in.
    pub client: Client,
    /// The name of the table of records.
    pub table: String,
    /// The name of the state table.
    pub state_table: String,
    /// A ledger over both.
    pub ledger: Ledger,
}

/// The configuration of the AWS stand-in, from `PGBATON_TEST_AWS_ENDPOINT`.
///
/// # Panics
/// When the variable is missing.
#[expect(clippy::expect_used, reason = "a test without its stack must fail loudly")]
pub async fn aws() -> SdkConfig {
    let endpoint = std::env::var("PGBATON_TEST_AWS_ENDPOINT").expect("start the stack with infra/local test");
    aws_at(&endpoint).await
}

/// A configuration of stand-ins at another address.
pub async fn aws_at(endpoint: &str) -> SdkConfig {
    let credentials = aws_sdk_dynamodb::config::Credentials::new("test", "test", None, None, "test");
    aws_config::defaults(BehaviorVersion::latest())
        .region("us-east-1")
        .endpoint_url(endpoint)
        .credentials_provider(credentials)
        .load()
        .await
}

impl Tables {
    /// Makes both tables.
    ///
    /// # Panics
    /// When the stand-in refuses.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its tables")]
    pub async fn create() -> Self {
        let aws = aws().await;
        let client = Client::new(&aws);
        let mut name = [0u8; 6];
        getrandom::fill(&mut name).expect("randomness");
        let (table, state_table) =
            (format!("records-{}", hex::encode(name)), format!("state-{}", hex::encode(name)));
        let create = |table: &str| {
            let request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
            request.key_schema(key("id", KeyType::Hash))
        };
        create(&state_table).attribute_definitions(string("id")).send().await.expect("state table");
        create(&table)
            .set_attribute_definitions(Some(
                ["id", "database", "kind", "open", "created_at"].map(string).to_vec(),
            ))
            .global_secondary_indexes(index("by_database", "database", ProjectionType::All))
            .global_secondary_indexes(index("by_kind", "kind", ProjectionType::All))
            .global_secondary_indexes(index("by_open", "open", ProjectionType::KeysOnly))
            .send()
            .await
            .expect("table of records");
        let ledger = Ledger::new(client.clone(), &table, &state_table);
        Self { aws, client, table, state_table, ledger }
    }
}

#[expect(clippy::expect_used, reason = "all members are given")]
fn string(name: &str) -> AttributeDefinition {
    let definition = AttributeDefinition::builder().attribute_name(name);
    definition.attribute_type(ScalarAttributeType::S).build().expect("complete")
}

#[expect(clippy::expect_used, reason = "all members are given")]
fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("complete")
}

#[expect(clippy::expect_used, reason = "all members are given")]
fn index(name: &str, hash: &str, projection: ProjectionType) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(hash, KeyType::Hash))
        .key_schema(key("created_at", KeyType::Range))
        .projection(Projection::builder().projection_type(projection).build())
        .build()
        .expect("complete")
}
