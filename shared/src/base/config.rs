//! The configuration, read once at cold start from the environment. Names and defaults are those of template.yaml's parameters.

mod jwt;

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{
    encryption::EncryptionSettings,
    endpoint::Endpoint,
    error::{Error, Kind, Result},
    format::Format,
    iam::IamLogin,
    id::DatabaseName,
    level::VerifyLevel,
    metrics,
    secret::Secret,
};

pub use jwt::JwtKey;

/// Where the connection string of a database comes from.
#[derive(Debug, Clone)]
pub enum ConnectionSource {
    /// The string itself, from `DATABASE_URL` or put together from `DATABASE_HOST` and its siblings.
    Direct(Secret),
    /// The ARN of a Secrets Manager secret or SSM parameter, or the name of an SSM parameter beginning with `/`. Read anew for each run,
    /// so that rotation needs no deployment.
    Reference(String),
    /// RDS IAM authentication (`DATABASE_IAM_AUTH`), with `DATABASE_HOST` and its siblings.
    Iam(IamLogin),
}

/// How data files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard (the default); read by pg_restore 16 and later.
    Zstd,
    /// gzip; read by pg_restore 12 and later.
    Gzip,
    /// Stored as they are.
    None,
}

impl Compression {
    /// `zstd`, `gzip`, `none`; `true` means zstd and `false` none.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "zstd" | "true" => Ok(Self::Zstd),
            "gzip" => Ok(Self::Gzip),
            "none" | "false" => Ok(Self::None),
            other => Err(Error::new(
                Kind::InvalidInput,
                format!("compression must be zstd, gzip or none, not \"{other}\""),
            )),
        }
    }

    /// The name that [`Compression::parse`] reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::None => "none",
        }
    }
}

/// What a backup may ask of the server that it reads, before it gives up rather than be a burden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLimits {
    /// `BACKUP_MAX_CONNECTIONS` (20), 4 to 2,000: sessions of one backup, workers and both sides of a hand-over included.
    pub connections: usize,
    /// `BACKUP_MAX_XMIN_AGE` (500,000,000): transactions by which the snapshot may hold back VACUUM; 0 for no limit.
    pub xmin_age: u32,
    /// `BACKUP_MAX_REPLICA_LAG_SECONDS` (0): how far a standby of the source, or the source where it is one itself, may lie behind; 0 for no limit.
    pub replica_lag: Duration,
    /// `BACKUP_MAX_LOCK_WAIT_SECONDS` (900): how long another session may wait for a table that the backup has locked; 0 for no limit.
    pub lock_wait: Duration,
}

/// Where schedules stand in EventBridge Scheduler, and what they invoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleTarget {
    /// `SCHEDULE_GROUP`: the deployment's group.
    pub group: String,
    /// `SCHEDULE_FUNCTION_ARN`: the backup function.
    pub function: String,
    /// `SCHEDULE_ROLE_ARN`: the role that Scheduler assumes to invoke it.
    pub role: String,
    /// `SCHEDULE_DEAD_LETTER_ARN`: the queue for what could not be delivered.
    pub dead_letters: String,
}

/// Whom to tell, and of what silence.
#[derive(Debug, Clone, Default)]
pub struct Notify {
    /// `NOTIFY_TOPIC_ARN`: the SNS topic.
    pub topic: Option<String>,
    /// `WEBHOOK_URL`: https, or http to this machine itself.
    pub webhook: Option<Endpoint>,
    /// `WEBHOOK_SECRET_ARN`: ARN of a Secrets Manager secret or SSM parameter, or the name of an SSM parameter beginning with `/`, with the key that
    /// signs what goes to the webhook; needed with `WEBHOOK_URL`.
    pub webhook_secret: Option<String>,
    /// `EXPECTED_BACKUP_HOURS` (26), 0 to 8,760: a database without a good backup for so long is silent; 0 for never.
    pub expected_hours: u32,
}

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// `ENABLE_BACKUP_SERVICE` (true): false makes every function say so and do nothing.
    pub enabled: bool,
    /// `DATABASE_LABEL` (`main`): the name the main database is registered under.
    pub database: DatabaseName,
    /// `DATABASE_URL`, `DATABASE_SECRET_ARN` or `DATABASE_HOST/PORT/NAME/USER/PASSWORD`: the database to back up (MAIN).
    pub main: Option<ConnectionSource>,
    /// Whether there is such a database: `DATABASE_CONFIGURED`, for a function that is not told which (the API), or one of the settings above.
    pub configured: bool,
    /// `BACKUP_DATABASE_URL` or `BACKUP_DATABASE_SECRET_ARN`: the second database (BACKUP).
    pub backup: Option<ConnectionSource>,
    /// `BACKUP_BUCKET`.
    pub bucket: String,
    /// `BACKUP_PREFIX` (`backups/`): ends with a slash.
    pub prefix: String,
    /// `BACKUP_TABLE`: backup and restore records.
    pub table: String,
    /// `STATE_TABLE`: deliveries seen and other state.
    pub state_table: String,
    /// `BACKUP_FORMAT` (archive).
    pub format: Format,
    /// `BACKUP_ENCRYPTION` and what goes with it.
    pub encryption: EncryptionSettings,
    /// `BACKUP_COMPRESSION` (zstd).
    pub compression: Compression,
    /// `BACKUP_RETENTION_DAYS` (30), at least 1.
    pub retention_days: u32,
    /// `BACKUP_CONCURRENCY` (4): tables read at once, 1 to 32.
    pub concurrency: usize,
    /// `BACKUP_SLICE_MB` (256), 1 to 1,048,576, in MiB: tables whose rows come to more COPY text are cut into slices of about this size, which are
    /// read, stored and loaded on their own.
    pub slice_bytes: u64,
    /// `BACKUP_FAN_OUT_MB` (51,200), in MiB: backups and restores of more COPY text than this are done by many workers, where there is a state machine.
    pub fan_out_bytes: u64,
    /// `WORKER_STATE_MACHINE_ARN`: the state machine that runs workers; none does everything in one function after the other.
    pub worker_machine: Option<String>,
    /// `BACKUP_WORKERS` (10), 1 to 1,000: workers at once, each with one connection.
    pub workers: usize,
    /// `BACKUP_MAX_HOPS` (100), 0 to 1,000: how often a run may go on in another function before its time is up. 0 makes it end there.
    pub max_hops: u64,
    /// What a backup may ask of the server that it reads.
    pub limits: SourceLimits,
    /// `RESTORE_MAINTENANCE_WORK_MEM_MB` (0), in MiB: `maintenance_work_mem` of each session that builds indexes; 0 leaves the server's.
    pub maintenance_work_mem_mb: u32,
    /// `BACKUP_LOCK_TIMEOUT_SECONDS` (60), 1 to 600: how long a backup waits for tables that another session has locked exclusively, such as by a
    /// running VACUUM FULL or ALTER TABLE.
    pub lock_timeout: Duration,
    /// `RUN_LEASE_SECONDS` (60), 5 to 600: how long a run counts as alive after its function last said so. Longer than Lambda's pause before a retry
    /// (one minute) makes retries wait; shorter closes runs whose function could not reach DynamoDB for that time.
    pub lease: Duration,
    /// `TZ` (UTC), an IANA name. Under Lambda it may begin with a colon.
    pub time_zone: TimeZone,
    /// `JWT_SECRET`, `JWT_SECRET_ARN` or `JWT_JWKS_URL`; without any the API answers 401 to all but health.
    pub jwt: Option<JwtKey>,
    /// `JWT_ISSUER` and `JWT_AUDIENCE`: required of tokens when set; `JWT_JWKS_URL` needs both.
    pub jwt_issuer: Option<String>,
    /// See `jwt_issuer`.
    pub jwt_audience: Option<String>,
    /// `BACKUP_FUNCTION`: name or ARN of the function that the API invokes for a backup.
    pub backup_function: Option<String>,
    /// `RESTORE_FUNCTION`: the one that it, or a verification, invokes for a restore.
    pub restore_function: Option<String>,
    /// `RETENTION_FUNCTION`: the one that it invokes to remove backups.
    pub retention_function: Option<String>,
    /// `BACKUP_SCHEDULE` (`0 2 * * *`): when the default schedule fires, as five-field cron, `cron(…)` or `rate(…)`, in the time zone `TZ`.
    /// Its form is checked where schedules are understood, at the start too.
    pub backup_schedule: String,
    /// `SCHEDULE_GROUP` and what goes with it; without it there are no schedules.
    pub schedules: Option<ScheduleTarget>,
    /// `VERIFY_FUNCTION`: name or ARN of the function that the API invokes for verifications and validations, and the reaper for what they left.
    pub verify_function: Option<String>,
    /// `VERIFY_LEVEL` (read): how thoroughly backups are verified where nothing else is asked for.
    pub verify_level: VerifyLevel,
    /// Whom to tell what went wrong.
    pub notify: Notify,
    /// `METRICS_NAMESPACE` (`pgbaton`): where CloudWatch keeps the metrics.
    pub metrics_namespace: String,
    /// `LOG_LEVEL` (info).
    pub log_level: String,
}

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// [`Kind::Config`] with the name of the variable at fault.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads from `lookup`; an empty value counts as absent.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name: &str| lookup(name).filter(|v| !v.trim().is_empty());
        let need = |name: &'static str| get(name).ok_or_else(|| wrong(name, "it is not set"));
        reject_planned(&get)?;
        let mut prefix = get("BACKUP_PREFIX").unwrap_or_else(|| "backups/".into());
        if !prefix.ends_with('/') {
            prefix.push('/');
        }
        if prefix.starts_with('/')
            || prefix.contains("//")
            || prefix.split('/').any(|p| p == "." || p == "..")
        {
            return Err(wrong("BACKUP_PREFIX", "it must be a relative path such as backups/"));
        }
        let main = match flag("DATABASE_IAM_AUTH", get("DATABASE_IAM_AUTH"), false)? {
            true => Some(iam(&get)?),
            false => connection(&get, "DATABASE")?.or(parts(&get)?),
        };
        Ok(Self {
            enabled: flag("ENABLE_BACKUP_SERVICE", get("ENABLE_BACKUP_SERVICE"), true)?,
            database: DatabaseName::parse(&get("DATABASE_LABEL").unwrap_or_else(|| "main".into()))
                .map_err(|e| wrong("DATABASE_LABEL", e.message()))?,
            configured: flag("DATABASE_CONFIGURED", get("DATABASE_CONFIGURED"), false)? || main.is_some(),
            main,
            backup: connection(&get, "BACKUP_DATABASE")?,
            bucket: need("BACKUP_BUCKET")?,
            prefix,
            table: need("BACKUP_TABLE")?,
            state_table: need("STATE_TABLE")?,
            format: Format::parse(&get("BACKUP_FORMAT").unwrap_or_else(|| "archive".into()))
                .map_err(|e| wrong("BACKUP_FORMAT", e.message()))?,
            encryption: encryption(&get)?,
            compression: Compression::parse(&get("BACKUP_COMPRESSION").unwrap_or_else(|| "zstd".into()))
                .map_err(|e| wrong("BACKUP_COMPRESSION", e.message()))?,
            retention_days: number("BACKUP_RETENTION_DAYS", get("BACKUP_RETENTION_DAYS"), 30, 1, 36_500)?,
            concurrency: number("BACKUP_CONCURRENCY", get("BACKUP_CONCURRENCY"), 4, 1, 32)? as usize,
            slice_bytes: u64::from(number("BACKUP_SLICE_MB", get("BACKUP_SLICE_MB"), 256, 1, 1 << 20)?) << 20,
            fan_out_bytes: u64::from(number(
                "BACKUP_FAN_OUT_MB",
                get("BACKUP_FAN_OUT_MB"),
                51_200,
                1,
                1 << 30,
            )?) << 20,
            worker_machine: get("WORKER_STATE_MACHINE_ARN"),
            workers: number("BACKUP_WORKERS", get("BACKUP_WORKERS"), 10, 1, 1_000)? as usize,
            max_hops: number("BACKUP_MAX_HOPS", get("BACKUP_MAX_HOPS"), 100, 0, 1_000)?.into(),
            limits: SourceLimits {
                connections: number("BACKUP_MAX_CONNECTIONS", get("BACKUP_MAX_CONNECTIONS"), 20, 4, 2_000)?
                    as usize,
                xmin_age: number(
                    "BACKUP_MAX_XMIN_AGE",
                    get("BACKUP_MAX_XMIN_AGE"),
                    500_000_000,
                    0,
                    2_000_000_000,
                )?,
                replica_lag: seconds(&get, "BACKUP_MAX_REPLICA_LAG_SECONDS", 0, 0, 86_400)?,
                lock_wait: seconds(&get, "BACKUP_MAX_LOCK_WAIT_SECONDS", 900, 0, 86_400)?,
            },
            maintenance_work_mem_mb: number(
                "RESTORE_MAINTENANCE_WORK_MEM_MB",
                get("RESTORE_MAINTENANCE_WORK_MEM_MB"),
                0,
                0,
                1 << 20,
            )?,
            lock_timeout: seconds(&get, "BACKUP_LOCK_TIMEOUT_SECONDS", 60, 1, 600)?,
            lease: seconds(&get, "RUN_LEASE_SECONDS", 60, 5, 600)?,
            time_zone: time_zone(get("TZ"))?,
            jwt: jwt::key(&get)?,
            jwt_issuer: get("JWT_ISSUER"),
            jwt_audience: get("JWT_AUDIENCE"),
            backup_function: get("BACKUP_FUNCTION"),
            restore_function: get("RESTORE_FUNCTION"),
            retention_function: get("RETENTION_FUNCTION"),
            backup_schedule: get("BACKUP_SCHEDULE").unwrap_or_else(|| "0 2 * * *".into()),
            schedules: match get("SCHEDULE_GROUP") {
                None => None,
                Some(group) => Some(ScheduleTarget {
                    group,
                    function: need("SCHEDULE_FUNCTION_ARN")?,
                    role: need("SCHEDULE_ROLE_ARN")?,
                    dead_letters: need("SCHEDULE_DEAD_LETTER_ARN")?,
                }),
            },
            verify_function: get("VERIFY_FUNCTION"),
            verify_level: match get("VERIFY_LEVEL") {
                Some(text) => VerifyLevel::parse(&text).map_err(|e| wrong("VERIFY_LEVEL", e.message()))?,
                None => VerifyLevel::default(),
            },
            notify: notify(&get)?,
            metrics_namespace: namespace(get("METRICS_NAMESPACE"))?,
            log_level: level(get("LOG_LEVEL"))?,
        })
    }
}

fn wrong(name: &str, why: &str) -> Error {
    Error::new(Kind::Config, format!("environment variable {name} is wrong: {why}"))
}

/// Settings that later releases will know: asked for now, they must not be ignored in silence.
fn reject_planned(get: &impl Fn(&str) -> Option<String>) -> Result<()> {
    let name = "ENABLE_TWO_WAY_SYNC";
    if flag(name, get(name), false)? {
        return Err(wrong(name, "this is not available yet; leave it false"));
    }
    Ok(())
}

/// The texts' own forms are checked where they are understood, at the start too.
fn encryption(get: &impl Fn(&str) -> Option<String>) -> Result<EncryptionSettings> {
    let settings = EncryptionSettings {
        default: flag("BACKUP_ENCRYPTION", get("BACKUP_ENCRYPTION"), false)?,
        recipients: get("BACKUP_AGE_RECIPIENTS"),
        kms_key: get("BACKUP_ENCRYPTION_KMS_KEY"),
        identities: get("BACKUP_AGE_IDENTITIES_SECRET_ARN"),
    };
    if settings.recipients.is_some() && settings.kms_key.is_some() {
        return Err(wrong(
            "BACKUP_ENCRYPTION_KMS_KEY",
            "BACKUP_AGE_RECIPIENTS is set as well; set one of them",
        ));
    }
    if settings.default && !settings.possible() {
        return Err(wrong(
            "BACKUP_ENCRYPTION",
            "it needs BACKUP_AGE_RECIPIENTS or BACKUP_ENCRYPTION_KMS_KEY",
        ));
    }
    Ok(settings)
}

fn notify(get: &impl Fn(&str) -> Option<String>) -> Result<Notify> {
    let topic = get("NOTIFY_TOPIC_ARN");
    if topic.as_deref().is_some_and(|t| !t.starts_with("arn:") || t.split(':').nth(2) != Some("sns")) {
        return Err(wrong("NOTIFY_TOPIC_ARN", "it must be the ARN of an SNS topic"));
    }
    let webhook = get("WEBHOOK_URL").map(|text| Endpoint::parse(&text));
    let webhook = webhook.transpose().map_err(|e| wrong("WEBHOOK_URL", e.message()))?;
    let webhook_secret = get("WEBHOOK_SECRET_ARN");
    if webhook.is_some() && webhook_secret.is_none() {
        return Err(wrong(
            "WEBHOOK_SECRET_ARN",
            "it is not set, and what goes to WEBHOOK_URL is signed with that secret",
        ));
    }
    let expected = number("EXPECTED_BACKUP_HOURS", get("EXPECTED_BACKUP_HOURS"), 26, 0, 8_760)?;
    Ok(Notify { topic, webhook, webhook_secret, expected_hours: expected })
}

/// The characters that CloudWatch takes; its own namespaces begin with `AWS/` (CloudWatch API Reference, "PutMetricData").
fn namespace(value: Option<String>) -> Result<String> {
    let name = value.unwrap_or_else(|| metrics::NAMESPACE.into());
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./#-".contains(c);
    if name.len() > 255 || !name.chars().all(plain) || name.starts_with("AWS/") {
        return Err(wrong(
            "METRICS_NAMESPACE",
            "it may have letters, digits and _ . / # - and not begin with AWS/",
        ));
    }
    Ok(name)
}

fn flag(name: &str, value: Option<String>, default: bool) -> Result<bool> {
    match value.as_deref() {
        None => Ok(default),
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(_) => Err(wrong(name, "it must be true or false")),
    }
}

fn number(name: &str, value: Option<String>, default: u32, least: u32, most: u32) -> Result<u32> {
    let Some(value) = value else { return Ok(default) };
    match value.parse::<u32>() {
        Ok(n) if (least..=most).contains(&n) => Ok(n),
        _ => Err(wrong(name, &format!("it must be a whole number from {least} to {most}"))),
    }
}

fn seconds(
    get: &impl Fn(&str) -> Option<String>,
    name: &str,
    default: u32,
    least: u32,
    most: u32,
) -> Result<Duration> {
    Ok(Duration::from_secs(number(name, get(name), default, least, most)?.into()))
}

fn time_zone(value: Option<String>) -> Result<TimeZone> {
    let name = value.unwrap_or_else(|| "UTC".into());
    let name = name.trim_start_matches(':');
    TimeZone::get(name).map_err(|_| wrong("TZ", "it must be an IANA time zone such as Europe/Berlin"))
}

fn level(value: Option<String>) -> Result<String> {
    let value = value.unwrap_or_else(|| "info".into()).to_ascii_lowercase();
    match value.as_str() {
        "trace" | "debug" | "info" | "warn" | "error" => Ok(value),
        _ => Err(wrong("LOG_LEVEL", "it must be trace, debug, info, warn or error")),
    }
}

fn connection(get: &impl Fn(&str) -> Option<String>, base: &str) -> Result<Option<ConnectionSource>> {
    let (url, arn) = (format!("{base}_URL"), format!("{base}_SECRET_ARN"));
    match (get(&url), get(&arn)) {
        (Some(_), Some(_)) => Err(wrong(&url, &format!("{arn} is set as well; set one"))),
        (Some(text), None) => Ok(Some(ConnectionSource::Direct(Secret::new(text)))),
        (None, Some(reference)) => Ok(Some(ConnectionSource::Reference(reference))),
        (None, None) => Ok(None),
    }
}

/// `DATABASE_HOST`, `_PORT`, `_NAME`, `_USER` and `_PASSWORD`, put together as a libpq key=value string.
fn parts(get: &impl Fn(&str) -> Option<String>) -> Result<Option<ConnectionSource>> {
    let Some(host) = get("DATABASE_HOST") else {
        return match ["PORT", "NAME", "USER", "PASSWORD"]
            .iter()
            .find(|p| get(&format!("DATABASE_{p}")).is_some())
        {
            Some(part) => Err(wrong(&format!("DATABASE_{part}"), "DATABASE_HOST is missing")),
            None => Ok(None),
        };
    };
    let mut text = format!("host={}", value_literal(&host));
    for (key, part) in [("port", "PORT"), ("dbname", "NAME"), ("user", "USER"), ("password", "PASSWORD")] {
        if let Some(value) = get(&format!("DATABASE_{part}")) {
            text.push_str(&format!(" {key}={}", value_literal(&value)));
        }
    }
    Ok(Some(ConnectionSource::Direct(Secret::new(text))))
}

/// `DATABASE_HOST`, `_PORT`, `_NAME` and `_USER`, without a password.
fn iam(get: &impl Fn(&str) -> Option<String>) -> Result<ConnectionSource> {
    for other in ["DATABASE_URL", "DATABASE_SECRET_ARN", "DATABASE_PASSWORD"] {
        if get(other).is_some() {
            return Err(wrong(
                "DATABASE_IAM_AUTH",
                &format!("{other} is set as well; IAM needs neither secret nor password"),
            ));
        }
    }
    let need = |part: &str| {
        let name = format!("DATABASE_{part}");
        get(&name).ok_or_else(|| wrong(&name, "it is not set, and DATABASE_IAM_AUTH needs it"))
    };
    let port = number("DATABASE_PORT", get("DATABASE_PORT"), 5432, 1, 65_535)?;
    let port = u16::try_from(port).unwrap_or(5432);
    IamLogin::new(&need("HOST")?, port, &need("NAME")?, &need("USER")?, None)
        .map(ConnectionSource::Iam)
        .map_err(|e| wrong("DATABASE_IAM_AUTH", e.message()))
}

/// A value as libpq's key=value strings quote it (PostgreSQL manual, "Connection Strings").
fn value_literal(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config> {
        let base = [("BACKUP_BUCKET", "b"), ("BACKUP_TABLE", "t"), ("STATE_TABLE", "s")];
        Config::from_lookup(|name| {
            pairs.iter().chain(base.iter()).find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn defaults_are_those_of_the_template() {
        let c = read(&[]).unwrap();
        assert!(c.enabled);
        assert_eq!((c.prefix.as_str(), c.retention_days, c.compression), ("backups/", 30, Compression::Zstd));
        assert_eq!((c.lock_timeout.as_secs(), c.lease.as_secs()), (60, 60));
        assert!(c.main.is_none());
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        for (name, value) in [
            ("BACKUP_COMPRESSION", "lzma"),
            ("BACKUP_RETENTION_DAYS", "0"),
            ("RUN_LEASE_SECONDS", "4"),
            ("BACKUP_LOCK_TIMEOUT_SECONDS", "0"),
            ("BACKUP_FAN_OUT_MB", "0"),
            ("BACKUP_WORKERS", "1001"),
            ("BACKUP_MAX_HOPS", "-1"),
            ("BACKUP_MAX_CONNECTIONS", "3"),
            ("BACKUP_MAX_XMIN_AGE", "2000000001"),
            ("BACKUP_MAX_REPLICA_LAG_SECONDS", "1.5"),
            ("BACKUP_MAX_LOCK_WAIT_SECONDS", "x"),
            ("RESTORE_MAINTENANCE_WORK_MEM_MB", "64MB"),
            ("NOTIFY_TOPIC_ARN", "pgbaton-topic"),
            ("WEBHOOK_URL", "http://hooks.example.com/"),
            ("EXPECTED_BACKUP_HOURS", "8761"),
            ("METRICS_NAMESPACE", "AWS/Lambda"),
            ("TZ", "Mars/Base"),
            ("LOG_LEVEL", "loud"),
            ("ENABLE_BACKUP_SERVICE", "perhaps"),
            ("BACKUP_FORMAT", "tar"),
            ("BACKUP_ENCRYPTION", "true"),
            ("BACKUP_PREFIX", "../x"),
            ("DATABASE_PORT", "5432"),
            ("DATABASE_IAM_AUTH", "perhaps"),
        ] {
            let e = read(&[(name, value)]).unwrap_err();
            assert_eq!(e.kind(), Kind::Config);
            assert!(e.to_string().contains(name), "{e}");
        }
    }

    #[test]
    fn an_iam_login_has_no_secret() {
        let all = [
            ("DATABASE_IAM_AUTH", "true"),
            ("DATABASE_HOST", "h"),
            ("DATABASE_NAME", "d"),
            ("DATABASE_USER", "u"),
        ];
        let c = read(&all).unwrap();
        let Some(ConnectionSource::Iam(login)) = c.main else { panic!("no login") };
        assert!(c.configured && login.describe() == "u@h:5432/d");
        for (name, value) in
            [("DATABASE_PASSWORD", "p"), ("DATABASE_URL", "postgresql://h"), ("DATABASE_SECRET_ARN", "/x")]
        {
            let e = read(&[&all[..], &[(name, value)]].concat()).unwrap_err();
            assert!(e.to_string().contains(name), "{e}");
        }
        let e = read(&all[..3]).unwrap_err();
        assert!(e.to_string().contains("DATABASE_USER"), "{e}");
    }

    #[test]
    fn a_function_may_be_told_that_there_is_a_database() {
        assert!(!read(&[]).unwrap().configured);
        let c = read(&[("DATABASE_CONFIGURED", "true")]).unwrap();
        assert!(c.configured && c.main.is_none());
    }

    #[test]
    fn a_webhook_needs_its_secret() {
        let url = ("WEBHOOK_URL", "https://ann:pw@hooks.example.com/?key=abc");
        let e = read(&[url]).unwrap_err();
        assert!(e.to_string().contains("WEBHOOK_SECRET_ARN"), "{e}");
        let c = read(&[url, ("WEBHOOK_SECRET_ARN", "/pgbaton/hook")]).unwrap();
        assert_eq!(c.notify.expected_hours, 26);
        let shown = format!("{c:?}");
        assert!(!shown.contains("pw") && !shown.contains("abc"), "{shown}");
    }

    #[test]
    fn parts_are_quoted() {
        let c = read(&[("DATABASE_HOST", "h"), ("DATABASE_PASSWORD", "it's \\")]).unwrap();
        let Some(ConnectionSource::Direct(s)) = c.main else { panic!("no source") };
        assert_eq!(s.expose(), "host='h' password='it\\'s \\\\'");
        assert!(!format!("{:?}", s).contains("it"));
    }
}
