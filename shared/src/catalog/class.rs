//! Oids of the system catalogs, as they stand in `pg_depend.classid`: fixed by PostgreSQL (`src/include/catalog/pg_*.h`), the same on every
//! server.

use super::draft::{CatalogId, Key, Part};

/// `pg_database`.
pub const PG_DATABASE: u32 = 1262;
/// `pg_event_trigger`.
pub const PG_EVENT_TRIGGER: u32 = 3466;
/// `pg_publication`.
pub const PG_PUBLICATION: u32 = 6104;
/// `pg_publication_rel`.
pub const PG_PUBLICATION_REL: u32 = 6106;
/// `pg_publication_namespace`.
pub const PG_PUBLICATION_NAMESPACE: u32 = 6237;
/// `pg_subscription`.
pub const PG_SUBSCRIPTION: u32 = 6100;
/// `pg_statistic_ext`.
pub const PG_STATISTIC_EXT: u32 = 3381;
/// `pg_foreign_server`.
pub const PG_FOREIGN_SERVER: u32 = 1417;
/// `pg_user_mapping`.
pub const PG_USER_MAPPING: u32 = 1418;
/// `pg_foreign_data_wrapper`.
pub const PG_FOREIGN_DATA_WRAPPER: u32 = 2328;
/// `pg_language`.
pub const PG_LANGUAGE: u32 = 2612;
/// `pg_am`.
pub const PG_AM: u32 = 2601;
/// `pg_cast`.
pub const PG_CAST: u32 = 2605;
/// `pg_collation`.
pub const PG_COLLATION: u32 = 3456;
/// `pg_conversion`.
pub const PG_CONVERSION: u32 = 2607;
/// `pg_opclass`.
pub const PG_OPCLASS: u32 = 2616;
/// `pg_operator`.
pub const PG_OPERATOR: u32 = 2617;
/// `pg_opfamily`.
pub const PG_OPFAMILY: u32 = 2753;
/// `pg_transform`.
pub const PG_TRANSFORM: u32 = 3576;
/// `pg_ts_config`.
pub const PG_TS_CONFIG: u32 = 3602;
/// `pg_ts_dict`.
pub const PG_TS_DICT: u32 = 3600;
/// `pg_ts_parser`.
pub const PG_TS_PARSER: u32 = 3601;
/// `pg_ts_template`.
pub const PG_TS_TEMPLATE: u32 = 3764;
/// `pg_type`.
pub const PG_TYPE: u32 = 1247;
/// `pg_proc`.
pub const PG_PROC: u32 = 1255;
/// `pg_class`.
pub const PG_CLASS: u32 = 1259;
/// `pg_attrdef`.
pub const PG_ATTRDEF: u32 = 2604;
/// `pg_constraint`.
pub const PG_CONSTRAINT: u32 = 2606;
/// `pg_largeobject`: large objects stand in `pg_depend`, `pg_description` and here under it, not under `pg_largeobject_metadata`.
pub const PG_LARGEOBJECT: u32 = 2613;
/// `pg_largeobject_metadata`: one row for each large object; its entries and dependencies stand under [`PG_LARGEOBJECT`].
pub const PG_LARGEOBJECT_METADATA: u32 = 2995;
/// `pg_namespace`.
pub const PG_NAMESPACE: u32 = 2615;
/// `pg_rewrite`.
pub const PG_REWRITE: u32 = 2618;
/// `pg_trigger`.
pub const PG_TRIGGER: u32 = 2620;
/// `pg_default_acl`.
pub const PG_DEFAULT_ACL: u32 = 826;
/// `pg_extension`.
pub const PG_EXTENSION: u32 = 3079;
/// `pg_policy`.
pub const PG_POLICY: u32 = 3256;

/// The first oid that is not given out by initdb (`FirstNormalObjectId`).
pub const FIRST_USER_OID: u32 = 16384;

/// Address of an object's definition.
pub fn definition(class: u32, oid: u32) -> Key {
    Key { id: CatalogId { class, oid }, part: Part::Definition }
}
