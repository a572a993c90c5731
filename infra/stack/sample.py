"""The sample database `shop` on the stack's server: the main database of the stack."""

import time

import psycopg
from psycopg import sql

from . import paths, postgres
from .prerequisites import say
from .state import Stack

NAME = "shop"


def create(stack: Stack) -> str:
    """Makes it anew and empty; gives its URL."""
    with psycopg.connect(stack.postgres_url, autocommit=True) as db:
        db.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(NAME)))
        db.execute(sql.SQL("create database {}").format(sql.Identifier(NAME)))
    return postgres.with_database(stack.postgres_url, NAME)


def fill(stack: Stack) -> str:
    """Makes it anew from infra/sample/shop.sql; gives its URL."""
    say(f"filling database {NAME}")
    begun = time.monotonic()
    url = create(stack)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(paths.SAMPLE.read_text())
    say(f"filled in {time.monotonic() - begun:.1f} s")
    return url
