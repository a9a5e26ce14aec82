"""The JSON Schema of one line of a trace, as msgspec makes it of the structs; `schema.json` beside this file is a copy of it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import msgspec

from safepoint.trace.events import Record

SCHEMA = Path(__file__).with_name("schema.json")


def schema() -> dict[str, Any]:
    """Of any line; which it is, `event` says."""
    made = msgspec.json.schema(Record)
    for defined in made["$defs"].values():
        if "description" in defined:  # a docstring, which Python 3.13 indents otherwise than 3.11
            defined["description"] = inspect.cleandoc(defined["description"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "a line of a safepoint trace", **made}


def text() -> str:
    """As the file has it."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=1).decode() + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
