"""The page of the properties: each with a mutation that only it kills, chosen anew by `python -m tests.meta.properties` (an hour)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from safepoint.model.eventually import EVENTUALLY
from safepoint.model.kills import broken
from safepoint.model.properties import ALWAYS
from safepoint.protocol.policies import POLICIES
from safepoint.verify.mutate import run
from safepoint.verify.mutation import MutationRow, model_of, subject

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "properties.md"
SPEC = ROOT / "spec" / "safepoint"
ROW = re.compile(
    r"^\| `(?P<name>[\w-]+)` \| (?P<says>[^|]*) \| \[(?P<where>[^\]]*)\]\([^)]*\) \|"
    r" (?:`(?P<file>\w+\.py)` `(?P<procedure>\w+)`, (?P<operator>[\w-]+): `(?P<before>[^`]*)` → (?:`(?P<after>[^`]*)`|nothing)"
    r" \(`(?P<policy>\w+)` `(?P<memory>\w+) (?P<scope>[\w-]+)`\)|(?P<none>[^|]*)) \|$",
    re.MULTILINE,
)
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

    def breaks(self) -> frozenset[str]:
        """All properties that it breaks there.  Raises ValueError if the text has no such mutation."""
        text, mutations = subject(self.policy)
        wanted = (self.file, self.procedure, self.operator, self.before.replace("¦", "|"), self.after.replace("¦", "|"))
        for m in mutations:
            c = m.change
            if (c.file, c.procedure, c.operator, c.before, c.after) == wanted:
                return broken(model_of(m.made_in(text), self.policy, self.memory, self.scope))
        raise ValueError(f"no mutation of the text is {wanted} (python -m tests.meta.properties)")

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
    """The file that asks for the property, besides the table that lists it."""
    rooms = [path for room in ("model", "protocol") for path in sorted((SPEC / room).glob("*.py"))]
    for path in rooms:
        for line in path.read_text(encoding="utf-8").splitlines():
            if f'"{name}"' in line and not line.lstrip().startswith(f'"{name}":') and path.name != "rules.py":
                return path
    raise ValueError(f"no file asks for {name}")


def chosen(rows: list[MutationRow], name: str) -> Witness | None:
    """The mutation that breaks only this property, in the fewest steps; of folded, if there is one."""
    alone = [row for row in rows if row.broken == (name,)]
    if not alone:
        return None
    row = min(alone, key=lambda row: (row.policy != "folded", row.memory, row.steps, row.file, row.line))
    return Witness(row.policy, row.file, row.procedure, row.operator, row.before, row.after, row.memory, row.scope)


def table(names: dict[str, str], rows: list[MutationRow]) -> str:
    lines = ["| property | what it says | decided in | a mutation that only it kills |", "|---|---|---|---|"]
    for name, says in names.items():
        path = decided_in(name).relative_to(ROOT)
        found = chosen(rows, name) or "none: each that it kills breaks another property too"
        lines.append(f"| `{name}` | {says} | [{path.name}](../{path}) | {found} |")
    return "\n".join(lines)


def page(rows: list[MutationRow]) -> str:
    return f"""# The properties

What the protocol is held to. Each property has a mutation of the text (`safepoint mutate`) that breaks it and nothing else in its scope,
on any path and also behind other violations: without the property, the mistake would pass. A test makes each of them again
(`tests/meta/test_properties.py`); `safepoint mutate --by-property` counts them all.

In a mutation, ¦ stands for |.

## Always

In every state that can be reached.

{table(ALWAYS, rows)}

## Eventually

On every fair run.

{table(EVENTUALLY, rows)}
"""


if __name__ == "__main__":
    PAGE.write_text(page(run(tuple(POLICIES), by_property=True).rows), encoding="utf-8")
