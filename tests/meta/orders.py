"""The page of the least orders, made anew, from the JSON of one run or of several: `python -m tests.meta.orders ORDERS.json...`.

`safepoint orders --json -p POLICY --memory MEMORY` makes it, which takes half an hour for each.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safepoint.model.memory.names import C11
from safepoint.protocol.policies import POLICIES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "orders.md"
BLOCK = re.compile(r"(?<=<!-- made by tests.meta.orders -->\n).*?(?=<!-- end -->)", re.DOTALL)
HEAD = re.compile(r"^### Policy `(?P<policy>\w+)` under `(?P<memory>[\w-]+)`$", re.MULTILINE)
ROW = re.compile(
    r"^\| `(?P<access>[\w.-]+)` \| (?P<order>\w+) \| (?P<alone>\w+) \| (?P<together>\w+) \|"
    r" (?:`(?P<below>\w+)`: (?P<broken>[\w-]+) \(`(?P<scope>[\w-]+)`, (?P<steps>\d+) steps\))? *\|$",
    re.MULTILINE,
)

MISSING = "Not made yet, half an hour each: the table of "

Found = Mapping[str, Any]
"""What `Least.as_json` gives."""


def sections(text: str) -> dict[tuple[str, str], list[dict[str, str]]]:
    """Policy and memory model, to the rows of the page."""
    parts = HEAD.split(text)[1:]
    return {
        (policy, memory): [match.groupdict(default="") for match in ROW.finditer(body)]
        for policy, memory, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def block(found: Sequence[Found]) -> str:
    """A table for each policy under C11; and one with all that it was explored on, if that is more.  What has none is named."""
    lines: list[str] = []
    made = {each["policy"] for each in found if each["memory"] == C11}
    if missing := [f"`{policy}`" for policy in POLICIES if policy not in made]:
        lines += [f"{MISSING}{', '.join(missing)}: `safepoint orders -p POLICY` makes it.", ""]
    for policy in dict.fromkeys(each["policy"] for each in found):
        of = [each for each in found if each["policy"] == policy]
        lines += [line for each in of if each["memory"] == C11 for line in _section(each)]
        if len(of) > 1:
            lines += _machines(policy, of)
    return "\n".join(lines)


def _section(found: Found) -> list[str]:
    lines = [f"### Policy `{found['policy']}` under `{found['memory']}`", ""]
    lines += ["| access | in the text | alone | all together | one step weaker than alone |", "|---|---|---|---|---|"]
    for row in found["rows"]:
        name, order = row["below"].rpartition(".")[::2] if row["below"] else ("", "")
        assert name in ("", row["access"])
        below = f"`{order}`: {row['broken']} (`{row['scope']}`, {row['steps']} steps)" if order else ""
        lines.append(f"| `{row['access']}` | {row['order']} | {row['alone']} | {row['together']} | {below} |")
    return [*lines, "", *_where(found), ""]


def _machines(policy: str, found: Sequence[Found]) -> list[str]:
    """All together, under each memory model."""
    lines = [f"### Policy `{policy}` on machines: all together", ""]
    memories = " | ".join(f"`{each['memory']}`" for each in found)
    lines.append(f"| access | in the text | {memories} |")
    lines.append("|---|---|" + "---|" * len(found))
    together = [{row["access"]: row["together"] for row in each["rows"]} for each in found]
    for row in found[0]["rows"]:
        cells = (orders.get(row["access"], "not explored") for orders in together)
        lines.append(f"| `{row['access']}` | {row['order']} | {' | '.join(cells)} |")
    return [*lines, "", *(line for each in found if each["memory"] != C11 for line in _where(each)), ""]


def _where(found: Found) -> list[str]:
    scopes = ", ".join(
        f"`{scope}`{'' if memory == found['memory'] else f' (`{memory}`)'}" for scope, memory in found["scopes"].items()
    )
    said = [f"; left out: {what}: {why}" for what, why in found["left_out"].items()]
    return [f"* `{found['memory']}`: all together hold in {scopes}{''.join(said)}."]


def explored(text: str, policy: str, memory: str) -> dict[str, str]:
    """The scopes that the page names for a table, and the memory model of each."""
    scopes = _said(text, policy, memory).partition("; left out")[0]
    return {scope: other or memory for scope, other in re.findall(r"`([\w-]+)`(?: \(`([\w-]+)`\))?", scopes)}


def left_out(text: str, policy: str, memory: str) -> list[str]:
    """The accesses that the page leaves out of a table."""
    names = re.findall(r"; left out: accesses(?: of the text)?: ([^:]*): ", _said(text, policy, memory))
    return [name for each in names for name in each.split(", ")]


def _said(text: str, policy: str, memory: str) -> str:
    parts = re.split(r"^### Policy ", text, flags=re.MULTILINE)
    mine = "\n".join(part for part in parts if part.startswith(f"`{policy}`"))
    (line,) = re.findall(rf"^\* `{memory}`: all together hold in (.*)\.$", mine, re.MULTILINE)
    return str(line)


def not_made_yet(text: str) -> list[str]:
    """The policies that the page names as those without a table."""
    return [
        name for said in re.findall(rf"^{MISSING}(.*): ", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", said)
    ]


def together(text: str) -> dict[tuple[str, str], dict[str, str]]:
    """Policy and memory model, to the order of each access in the weakest text."""
    found = {key: {row["access"]: row["together"] for row in rows} for key, rows in sections(text).items()}
    for policy, body in re.findall(
        r"^### Policy `(\w+)` on machines: all together$(.*?)(?=^### |^<!--|\Z)", text, re.MULTILINE | re.DOTALL
    ):
        head, _, *rows = (line.strip("| ").split(" | ") for line in body.splitlines() if line.startswith("|"))
        for column, memory in enumerate(head[2:], start=2):
            found[policy, memory.strip("`")] = {
                row[0].strip("`"): row[column] for row in rows if row[column] != "not explored"
            }
    return found


if __name__ == "__main__":
    runs = [each for file in sys.argv[1:] for each in json.loads(Path(file).read_text(encoding="utf-8"))]
    made = block(runs)
    PAGE.write_text(BLOCK.sub(lambda _: made, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
