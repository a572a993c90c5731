"""deny.toml's rules on licences, banned crates and sources: by cargo-deny where it is installed, else from `cargo metadata`."""

import json
import re
import shutil
import subprocess
import tomllib
from typing import Any

from . import paths


def check() -> list[str]:
    """What breaks the rules, a line each."""
    if shutil.which("cargo-deny"):
        done = subprocess.run(["cargo-deny", "check", "licenses", "bans", "sources"], cwd=paths.ROOT, capture_output=True, text=True)
        return [] if done.returncode == 0 else done.stderr.splitlines()
    rules = tomllib.loads((paths.ROOT / "deny.toml").read_text())
    told = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"], cwd=paths.ROOT, check=True, capture_output=True, text=True
    ).stdout
    metadata = json.loads(told)
    used = {node["id"] for node in metadata["resolve"]["nodes"]}
    return [line for p in metadata["packages"] if p["id"] in used for line in faults(p, rules)]


def faults(package: dict[str, Any], rules: dict[str, Any]) -> list[str]:
    """What is wrong with one package."""
    name, found = f"{package['name']} {package['version']}", []
    source, expression = package.get("source"), package.get("license")
    if source and not source.startswith(("registry+", "sparse+")):
        found.append(f"{name}: comes from {source}")
    if package["name"] in {banned["name"] for banned in rules["bans"]["deny"]}:
        found.append(f"{name}: is banned by deny.toml")
    if not expression:
        found.append(f"{name}: names no licence")
    elif not allowed(expression, set(rules["licenses"]["allow"])):
        found.append(f"{name}: the licence {expression} is not allowed by deny.toml")
    return found


def allowed(expression: str, allow: set[str]) -> bool:
    """Whether an SPDX expression can be met by allowed licences; `/` is an old way to write OR."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))
    position = 0

    def peek() -> str:
        return tokens[position] if position < len(tokens) else ""

    def take() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1]

    def either() -> bool:
        met = both()
        while peek() == "OR":
            take()
            met = both() or met
        return met

    def both() -> bool:
        met = single()
        while peek() == "AND":
            take()
            met = single() and met
        return met

    def single() -> bool:
        token = take()
        if token == "(":
            met = either()
            take()
            return met
        if peek() == "WITH":
            take()
            token = f"{token} WITH {take()}"
        return token in allow

    return either()
