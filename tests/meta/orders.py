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

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "orders.md"
BLOCK = re.compile(r"(?<=<!-- made by tests.meta.orders -->\n).*?(?=<!-- end -->)", re.DOTALL)
HEAD = re.compile(r"^### Policy `(?P<policy>\w+)` under `(?P<memory>[\w-]+)`$", re.MULTILINE)
ROW = re.compile(
    r"^\| `(?P<access>[\w.-]+)` \| (?P<order>\w+) \| (?P<alone>\w+) \| (?P<together>\w+) \|"
    r" (?:`(?P<below>\w+)`: (?P<broken>[\w-]+) \(`(?P<scope>[\w-]+)`, (?P<steps>\d+) steps\))? *\|$",
    re.MULTILINE,
)

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
    """All tables; of each policy that under C11 first."""
    return "\n".join(part for each in found for part in _section(each))


def _section(found: Found) -> list[str]:
    lines = [f"### Policy `{found['policy']}` under `{found['memory']}`", ""]
    lines += ["| access | in the text | alone | all together | one step weaker than alone |", "|---|---|---|---|---|"]
    for row in found["rows"]:
        name, order = row["below"].rpartition(".")[::2] if row["below"] else ("", "")
        assert name in ("", row["access"])
        below = f"`{order}`: {row['broken']} (`{row['scope']}`, {row['steps']} steps)" if order else ""
        lines.append(f"| `{row['access']}` | {row['order']} | {row['alone']} | {row['together']} | {below} |")
    scopes = ", ".join(
        f"`{scope}`{'' if memory == found['memory'] else f' (`{memory}`)'}" for scope, memory in found["scopes"].items()
    )
    lines += ["", f"All together hold in {scopes}.", ""]
    lines += [f"* left out: {what}: {why}" for what, why in found["left_out"].items()]
    return [*lines, ""]


def explored(text: str, policy: str, memory: str) -> dict[str, str]:
    """The scopes that the page names for a table, and the memory model of each."""
    part = text.partition(f"### Policy `{policy}` under `{memory}`\n")[2].partition("\n### ")[0]
    (line,) = re.findall(r"^All together hold in (.*)\.$", part, re.MULTILINE)
    return {scope: other or memory for scope, other in re.findall(r"`([\w-]+)`(?: \(`([\w-]+)`\))?", line)}


def left_out(text: str, policy: str, memory: str) -> list[str]:
    """The accesses that the page leaves out of a table."""
    part = text.partition(f"### Policy `{policy}` under `{memory}`\n")[2].partition("\n### ")[0]
    names = re.findall(r"^\* left out: accesses: ([^:]*): no scope", part, re.MULTILINE)
    return [name for each in names for name in each.split(", ")]


if __name__ == "__main__":
    runs = [each for file in sys.argv[1:] for each in json.loads(Path(file).read_text(encoding="utf-8"))]
    made = block(runs)
    PAGE.write_text(BLOCK.sub(lambda _: made, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
