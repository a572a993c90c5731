//! The properties of the database itself: what is needed to create one like it.

use tokio_postgres::Client;

use super::rows::{field, letter, rows};
use crate::{
    base::{Error, Kind, Result},
    pg::ServerVersion,
};

/// What CREATE DATABASE and ALTER DATABASE would have to say to get a database like this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseProperties {
    /// `pg_database.oid`.
    pub oid: u32,
    /// Name, unquoted.
    pub name: String,
    /// Encoding name, such as `UTF8`.
    pub encoding: String,
    /// `libc`, `icu` or `builtin`.
    pub locale_provider: &'static str,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// Locale of the icu or builtin provider.
    pub locale: Option<String>,
    /// ICU rules (16 and later).
    pub icu_rules: Option<String>,
    /// Owner, unquoted.
    pub owner: String,
    /// Comment on the database.
    pub comment: Option<String>,
    /// Default tablespace, unquoted.
    pub tablespace: String,
    /// Whether everybody who may create databases may copy it.
    pub is_template: bool,
    /// Connection limit, -1 for none.
    pub connection_limit: i32,
    /// Settings of `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`.
    pub settings: Vec<DatabaseSetting>,
}

/// One `name=value` that sessions of this database start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSetting {
    /// The role it is for; none for all.
    pub role: Option<String>,
    /// Parameter name.
    pub name: String,
    /// Value as stored.
    pub value: String,
}

/// 13 and 14 have no `datlocprovider`; 15 and 16 call the locale `daticulocale`; `daticurules` came with 16.
fn properties_query(version: ServerVersion) -> String {
    let (provider, locale, rules) = match version.major() {
        ..15 => ("'c'::\"char\"", "NULL::text", "NULL::text"),
        15 => ("datlocprovider", "daticulocale", "NULL::text"),
        16 => ("datlocprovider", "daticulocale", "daticurules"),
        _ => ("datlocprovider", "datlocale", "daticurules"),
    };
    format!(
        "SELECT oid, datname, pg_encoding_to_char(encoding)::text AS encoding, {provider} AS provider, \
         datcollate::text AS datcollate, datctype::text AS datctype, {locale} AS locale, {rules} AS icu_rules, \
         pg_get_userbyid(datdba) AS owner, shobj_description(oid, 'pg_database') AS comment, datconnlimit, datistemplate, \
         (SELECT spcname::text FROM pg_tablespace t WHERE t.oid = dattablespace) AS tablespace \
         FROM pg_database WHERE datname = current_database()"
    )
}

/// In the order in which roles and settings were made.
const SETTINGS: &str = "SELECT r.rolname, u.setting \
     FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) WITH ORDINALITY AS u(setting, place) LEFT JOIN pg_roles r ON r.oid = s.setrole \
     WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) \
       AND (s.setrole = 0 OR r.oid IS NOT NULL) \
     ORDER BY r.oid NULLS FIRST, u.place";

pub(crate) async fn properties(client: &Client, version: ServerVersion) -> Result<DatabaseProperties> {
    let found = rows(client, "the database's properties", &properties_query(version), &[]).await?;
    let row = found
        .first()
        .ok_or_else(|| Error::new(Kind::Internal, "pg_database holds no row for the current database"))?;
    let mut settings = Vec::new();
    for row in rows(client, "the database's settings", SETTINGS, &[]).await? {
        let setting: String = field(&row, "setting")?;
        if let Some((name, value)) = setting.split_once('=') {
            settings.push(DatabaseSetting {
                role: field(&row, "rolname")?,
                name: name.to_owned(),
                value: value.to_owned(),
            });
        }
    }
    Ok(DatabaseProperties {
        oid: field(row, "oid")?,
        tablespace: field(row, "tablespace")?,
        is_template: field(row, "datistemplate")?,
        name: field(row, "datname")?,
        encoding: field(row, "encoding")?,
        locale_provider: match letter(row, "provider")? {
            'i' => "icu",
            'b' => "builtin",
            _ => "libc",
        },
        collate: field(row, "datcollate")?,
        ctype: field(row, "datctype")?,
        locale: field(row, "locale")?,
        icu_rules: field(row, "icu_rules")?,
        owner: field(row, "owner")?,
        comment: field(row, "comment")?,
        connection_limit: field(row, "datconnlimit")?,
        settings,
    })
}
