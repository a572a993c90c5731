"""Two databases compared: every table's count and hash, every sequence, every large object."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

SETTINGS = {
    "row_security": "off",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "search_path": "",
    "statement_timeout": "0",
}

RELATIONS = """
select n.nspname, c.relname, c.relkind::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm', 'S') and c.relpersistence <> 't' and (c.relkind <> 'm' or c.relispopulated)
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 1, 2
"""


@dataclass(frozen=True)
class Content:
    """What a relation holds: rows, and the sum of the rows' hashes, which does not depend on their order."""

    kind: str
    rows: int
    hash: str


def contents(url: str) -> dict[str, Content]:
    """Every relation's content, in one snapshot; large objects under one name."""
    found = {}
    with psycopg.connect(url, connect_timeout=10, options="-c default_transaction_isolation=repeatable\\ read") as db:
        db.read_only = True
        for name, value in SETTINGS.items():
            db.execute("select pg_catalog.set_config(%s, %s, false)", (name, value))
        for schema, name, kind in db.execute(RELATIONS).fetchall():
            # (r.*)::text and not r::text: a table may have a column called r.
            body = "pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended((r.*)::pg_catalog.text, 0)::numeric), 0)"
            if kind == "S":
                body = "1, pg_catalog.concat(r.last_value, ' ', r.is_called)"
            query = sql.SQL("select " + body + " from only {} r").format(sql.Identifier(schema, name))
            rows, hash = db.execute(query).fetchone()
            found[f"{schema}.{name}"] = Content({"r": "table", "m": "materialized view", "S": "sequence"}[kind], rows, str(hash))
        large = """select pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(
            oid::text || pg_catalog.md5(pg_catalog.lo_get(oid)), 0)::numeric), 0) from pg_catalog.pg_largeobject_metadata"""
        try:
            rows, hash = db.execute(large).fetchone()
            if rows:
                found["(large objects)"] = Content("large objects", rows, str(hash))
        except psycopg.errors.InsufficientPrivilege:
            pass
    return found


def differences(left: dict[str, Content], right: dict[str, Content]) -> list[str]:
    """A sentence for each relation that is not the same on both sides."""
    told = []
    for name in sorted(left.keys() | right.keys()):
        a, b = left.get(name), right.get(name)
        if a is None or b is None:
            told.append(f"{name}: only in the {'restored' if a is None else 'original'} database")
        elif a.rows != b.rows:
            told.append(f"{name}: {a.rows:,} rows, restored {b.rows:,}")
        elif a != b:
            told.append(f"{name}: {a.rows:,} rows on both sides, but they differ")
    return told
