"""Databases to measure with."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass
class Shape:
    """A kind of database."""

    what: str
    sql: str


ALL = {
    "one": Shape("one large table (pgbench at scale 100, 1.28 GB of heap, 10 million rows)", ""),
    "many": Shape(
        "5,000 tables of 20 rows with a key and an index each",
        """
        do $$ begin
          for n in 1..5000 loop
            execute format('create table t%s (id integer primary key, name text, at timestamptz default now())', n);
            execute format('insert into t%s select i, md5(i::text), now() from generate_series(1, 20) i', n);
            execute format('create index on t%s (name)', n);
            if n % 500 = 0 then commit; end if;
          end loop;
        end $$
        """,
    ),
    "wide": Shape(
        "400,000 wide rows with jsonb and text",
        """
        create table wide (id bigint primary key, document jsonb, body text, tags text[], at timestamptz, price numeric(12, 2));
        insert into wide select i, jsonb_build_object('id', i, 'name', md5(i::text), 'address', jsonb_build_object('street', md5((i * 7)::text),
            'city', 'Town ' || i % 1000), 'items', (select jsonb_agg(jsonb_build_object('sku', md5((i + n)::text), 'count', n)) from generate_series(1, 8) n)),
            (select string_agg(md5((i * 31 + n)::text), ' ') from generate_series(1, 12) n), array['a' || i % 10, 'b' || i % 100], now(), i * 1.01
          from generate_series(1, 400000) i
        """,
    ),
}


def fill(name: str, url: str, programs: Path) -> None:
    """Makes the shape in an empty database."""
    if name == "one":
        subprocess.run([programs / "pgbench", "-i", "-q", "-s", "100", url], check=True, capture_output=True)
        return
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(ALL[name].sql)
        db.execute("vacuum analyze")
