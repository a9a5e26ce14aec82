"""The tables of docs/concurrency.md, made anew from what is declared: `python -m tests.concurrency.page`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from safepoint_vm.cores.litmus.declared import LITMUS
from safepoint_vm.cores.phases import CAMPAIGN
from safepoint_vm.cores.races import SENTENCES
from safepoint_vm.mutants import REGISTER

PAGE = Path(__file__).parents[2] / "docs" / "concurrency.md"


def races() -> str:
    """A line for each race."""
    return table("race", "what it is", rows=[(name, sentence) for name, sentence in SENTENCES.items()])


def phases() -> str:
    """A line for each phase, with its requesters."""
    rows = []
    for phase in CAMPAIGN:
        loops = [r.loop + f" at `{r.aim}`" * bool(r.aim) for r in phase.requesters]
        told = [f"{loops.count(loop)} times {loop}" if loops.count(loop) > 1 else loop for loop in dict.fromkeys(loops)]
        rows.append((phase.name, ", ".join(told), "each on a core of its own" if phase.duel else "", phase.jitter))
    return table("phase", "requesters", "cores", "which side pauses", rows=rows)


def litmus() -> str:
    """A line for each outcome of each test; below each test the mutants that must show a forbidden one."""
    rows = []
    for test in LITMUS:
        rows.append((f"**{test.name}**", "", test.question))
        rows += [(outcome.name, outcome.kind, outcome.sentence) for outcome in test.outcomes]
        if test.mutants:
            rows.append(("", "", "Forbidden outcomes are seen with " + ", ".join(f"`{m}`" for m in test.mutants) + "."))
    return table("outcome", "kind", "", rows=rows)


def mistakes() -> str:
    """A line for each mistake of the interpreter that is in no line of the text."""
    rows = [(f"`{m.name}`", f"{m.swaps}. {m.what}", m.like, m.rule and f"`{m.rule}`", m.by) for m in REGISTER]
    return table("mistake", "in the place of; what it is", "like", "breaks", "soonest by", rows=rows)


def table(*head: str, rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES = {"races": races, "phases": phases, "litmus": litmus, "mistakes": mistakes}


def page(old: str) -> str:
    """The page with its tables made anew."""
    for name, make in TABLES.items():
        start, end = f"<!-- {name}: python -m tests.concurrency.page -->\n", "<!-- end -->"
        pattern = re.compile(f"{re.escape(start)}.*?{end}", re.DOTALL)
        assert len(pattern.findall(old)) == 1, name
        old = pattern.sub(lambda _, made=start + make() + end: made, old)  # type: ignore[misc]
    return old


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
