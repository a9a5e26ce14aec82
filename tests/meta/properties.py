"""The page of the properties: each with a mutation that only it kills.

Made anew: `safepoint mutate --json >mutations.json; python -m tests.meta.properties <mutations.json`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safepoint.model.eventually import EVENTUALLY
from safepoint.model.properties import ALWAYS
from safepoint.protocol.policies import POLICIES
from safepoint.verify.mutation import all_broken, subject

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "properties.md"
SPEC = ROOT / "spec" / "safepoint"
ROW = re.compile(
    r"^\| `(?P<name>[\w-]+)` \| (?P<says>[^|]*) \| \[(?P<where>[^\]]*)\]\([^)]*\) \|"
    r" (?:`(?P<file>\w+\.py)` `(?P<procedure>\w+)`, (?P<operator>[\w-]+): `(?P<before>[^`]*)` → (?:`(?P<after>[^`]*)`|nothing)"
    r" \(`(?P<policy>\w+)` `(?P<memory>\w+) (?P<scope>[\w-]+)`\)(?:, and with it: (?P<too>[^|]*))?|(?P<none>none)) \|$",
    re.MULTILINE,
)
TRIED = 25
"""Mutations of which all that they break is worked out, for one property."""
PROPERTIES = ALWAYS | EVENTUALLY


@dataclass(frozen=True)
class Witness:
    """A mutation, and the scope in which nothing is broken by it but one property."""

    policy: str
    file: str
    procedure: str
    operator: str
    before: str
    after: str
    memory: str
    scope: str

    def breaks(self) -> set[str]:
        """All properties that it breaks there.  Raises ValueError if the text has no such mutation."""
        wanted = (self.file, self.procedure, self.operator, self.before.replace("¦", "|"), self.after.replace("¦", "|"))
        for number, m in enumerate(subject(POLICIES[self.policy])[1]):
            c = m.change
            if (c.file, c.procedure, c.operator, c.before, c.after) == wanted:
                return set(all_broken((POLICIES[self.policy], number, self.memory, self.scope)))
        raise ValueError(f"no mutation of the text is {wanted} (make the page anew: {Path(__file__).name} says how)")

    def __str__(self) -> str:
        after = f"`{self.after.replace('|', '¦')}`" if self.after else "nothing"
        return (
            f"`{self.file}` `{self.procedure}`, {self.operator}: `{self.before.replace('|', '¦')}` → {after}"
            f" (`{self.policy}` `{self.memory} {self.scope}`)"
        )


def shown() -> dict[str, re.Match[str]]:
    """Property to its row of the page."""
    return {match["name"]: match for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))}


def witness(match: re.Match[str]) -> Witness | None:
    if match["none"] is not None:
        return None
    fields = {name: match[name] or "" for name in Witness.__dataclass_fields__}
    return Witness(**fields)


def decided_in(name: str) -> Path:
    """The file that asks for the property of our text, besides the table that lists it."""
    rooms = [path for room in ("model", "protocol") for path in sorted((SPEC / room).glob("*.py"))]
    rooms = [path for path in rooms if not path.name.startswith("custom")]
    for path in rooms:
        for line in path.read_text(encoding="utf-8").splitlines():
            if (
                f'"{name}"' in line
                and not line.lstrip().startswith(f'"{name}":')
                and not path.name.endswith("rules.py")
            ):
                return path
    raise ValueError(f"no file asks for {name}")


def too(match: re.Match[str]) -> set[str]:
    """What the mutation of a row breaks besides."""
    return set(re.findall(r"`([\w-]+)`", match["too"] or ""))


def chosen(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """The mutation that breaks only this property, or fewest others, in the fewest steps; of folded, if there is one."""
    killed = (row for row in rows if row["property"] == name)
    order = sorted(
        killed, key=lambda row: (row["policy"] != "folded", row["memory"], row["steps"], row["file"], row["line"])
    )
    best: tuple[Witness, list[str]] | None = None
    for row in order[:TRIED]:
        each = Witness(**{field: row[field] for field in Witness.__dataclass_fields__})
        breaks = each.breaks()
        others = sorted(breaks - {name})
        if name in breaks and (best is None or len(others) < len(best[1])):
            best = each, others
        if name in breaks and not others:
            break
    if best is None:
        return "none"
    besides = ", ".join(f"`{other}`" for other in best[1])
    return f"{best[0]}, and with it: {besides}" if besides else str(best[0])


def table(names: dict[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| property | what it says | decided in | a mutation that only it kills |", "|---|---|---|---|"]
    for name, says in names.items():
        path = decided_in(name).relative_to(ROOT)
        lines.append(f"| `{name}` | {says} | [{path.name}](../{path}) | {chosen(rows, name)} |")
    return "\n".join(lines)


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    return f"""# The properties

What the protocol is held to. Beside each property stands a mutation of the text (`safepoint mutate`) that breaks it, and nothing else on
any path of its scope, also behind other violations: without the property, the mistake would pass there. Where every such mistake breaks
another property too, the line says which. A test makes each mutation again (`tests/meta/test_properties.py`); `safepoint mutate
--by-property` counts them all.

In a mutation, ¦ stands for |.

## Always

In every state that can be reached.

{table(ALWAYS, rows)}

## Eventually

On every fair run.

{table(EVENTUALLY, rows)}
"""


if __name__ == "__main__":
    PAGE.write_text(page(json.load(sys.stdin)["mutations"]), encoding="utf-8")
