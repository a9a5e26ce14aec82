"""Find an entry point.  Each process that runs a guest program does: reading some small files takes a tenth of `importlib.metadata`'s time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from typing import Any

METADATA = ".dist-info"
"""How the name of a folder ends in which an installed package says what it is."""


def entry_point(group: str, name: str) -> Any:
    """What the first entry point of this group and name is, in the order of `sys.path`.  ImportError: there is none, or it cannot be imported."""
    value = next(found(group, name), "") or by_metadata(group, name)
    module, _, inside = value.partition("[")[0].strip().partition(":")
    return reduce(getattr, inside.split("."), import_module(module))


def found(group: str, name: str) -> Iterator[str]:
    """What the packages of this name say that are installed as folders: `module:object`."""
    for place in sys.path:
        try:
            packages = [each for each in os.listdir(place or ".") if each.endswith(METADATA)]  # noqa: PTH208  -- no Path for each
        except OSError:
            continue
        for package in packages:
            try:
                with open(os.path.join(place, package, "entry_points.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
                    text = file.read()
            except OSError:
                continue
            yield from said(text, group, name)


def said(text: str, group: str, name: str) -> Iterator[str]:
    """What a file of entry points says: a section for each group, and in it lines `name = module:object`."""
    section = ""
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if line.startswith("["):
            section = line.strip().strip("[]")
        elif section == group and key.strip() == name:
            yield value.strip()


def by_metadata(group: str, name: str) -> str:
    """The same of packages that are installed otherwise, such as those of an archive.  ImportError: none has it."""
    from importlib.metadata import entry_points

    for each in entry_points(group=group, name=name):
        return each.value
    raise ImportError("no entry point")
