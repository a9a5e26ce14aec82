"""The checklist's table of instructions, made from the tables that are held against LLVM: `python -m tests.meta.instructions`."""

from __future__ import annotations

import re
from pathlib import Path

from safepoint.graph.orders import PLAIN, SEQ_CST, STRONG
from safepoint.model.memory.targets import TARGETS, Target

PAGE = Path(__file__).parents[2] / "docs" / "implement.md"
BLOCK = re.compile(r"(?<=<!-- made by tests.meta.instructions -->\n).*?(?=<!-- end -->)", re.DOTALL)
LLVM = {
    "load": "load atomic",
    "store": "store atomic",
    "fetch_or": "atomicrmw or",
    "fetch_and": "atomicrmw and",
    "swap": "atomicrmw xchg",
    "cas": "cmpxchg",
}
ROWS = (
    ("load", ""),
    ("look", ""),
    ("store", ""),
    ("publish", ""),
    ("fetch_or", ", result unused"),
    ("fetch_and", ", result used"),
    ("swap", ""),
    ("cas", ""),
)


def instructions(target: Target, said: str, note: str) -> str:
    """What LLVM makes of an access as the text writes it."""
    key = STRONG.get(said, said), PLAIN.get(said, SEQ_CST)
    made = target.unused.get(key, target.table[key]) if "unused" in note else target.table[key]
    return made.upper() if "aarch64" in target.triple else made


def table() -> str:
    lines = [f"| in the text | LLVM | {' | '.join(TARGETS)} |", f"|---|---|{'---|' * len(TARGETS)}"]
    for said, note in ROWS:
        op, order = STRONG.get(said, said), PLAIN.get(said, SEQ_CST)
        made = (f"`{instructions(target, said, note)}`" for target in TARGETS.values())
        lines.append(f"| `{said}`{note} | `{LLVM[op]} {order}` | {' | '.join(made)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(BLOCK.sub(lambda _: table(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
