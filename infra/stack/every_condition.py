"""template.yaml as it is where every condition holds: what checks of policies can read, which give up at the first `Fn::If`."""

import json
import os
from pathlib import Path
from typing import Any

from . import paths


def write() -> Path:
    """Writes it as JSON into the working copy's own folder; gives the file."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from samtranslator.yaml_helper import yaml_parse

    template = _held(yaml_parse((paths.ROOT / "template.yaml").read_text()))
    file = paths.LOCAL / "template-every-condition.json"
    file.write_text(json.dumps(template, indent=1))
    return file


def _held(v: Any) -> Any:
    if isinstance(v, list):
        return [_held(x) for x in v]
    if not isinstance(v, dict):
        return v
    if list(v) == ["Fn::If"]:
        return _held(v["Fn::If"][1])
    return {k: _held(x) for k, x in v.items()}
