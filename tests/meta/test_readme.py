"""The output that README.md and docs/verify-output.md show is what the program says today; and the package's page has no dead link."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from safepoint.differential.cases import SHOWS
from safepoint.differential.corpus import corpus
from safepoint.graph.text import Text
from safepoint.model.memory.names import STALE, label
from safepoint.model.mutants import all_mutants
from safepoint.model.scopes import SCOPES
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.verify.interpreter import can_show
from safepoint.verify.rows import mutant_label
from safepoint.verify.text import LONG
from tests.meta import output
from tests.model.counterexamples import counterexample
from tests.model.pinned import CAUGHT, CAUGHT_ELSEWHERE, COUNTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = output.shown()


TOGETHER = {"collect", "asking", "exclusive", "nesting", "signal_handler", "membarrier-handshake-1"}
"""Features, requesters and scopes in which one thread posts to another, runs on another's, or is looked at with another: one thread does
not decide for any number."""


def rows(columns: int) -> list[list[str]]:
    cells = [[c.strip() for c in line.strip("│").split("│")] for line in SHOWN.splitlines() if line.startswith("│")]
    return [row for row in cells if len(row) == columns]


def test_the_table_of_policies_is_what_is_pinned() -> None:
    shown = {(row[0], row[1]): (int(row[2]), *(int(n.replace(",", "")) for n in row[4:6])) for row in rows(9)}
    pinned: dict[tuple[str, str], tuple[int, int, int]] = {}
    for key, (states, transitions) in COUNTS.items():
        policy, memory, _ = key.split("/")
        before = pinned.get((policy, label(memory)), (0, 0, 0))
        pinned[policy, label(memory)] = (before[0] + 1, before[1] + states, before[2] + transitions)
    assert shown == pinned
    for row in rows(9):
        bound = POLICIES[row[0]].declared
        keys = [key.split("/") for key in COUNTS]
        scopes = [SCOPES[name] for policy, memory, name in keys if [policy, label(memory)] == row[:2]]
        most = max(s.threads for s in scopes)
        alone = sum(not TOGETHER & {s.name, *s.slices, *s.roles} for s in scopes if row[0] not in TOGETHER_ALWAYS)
        assert row[3] == ("1" if most == 1 else f"1..{most}")
        numbers = ["none" if n is None else str(n) for n in bound.as_json().values()]
        said = [" / ".join(numbers), f"{alone} of {len(scopes)}"]
        assert row[6:] == ["holds", *(["-"] * 2 if row[1] in map(label, STALE) else said)]


TOGETHER_ALWAYS = ("wasmtime", "patched")
"""Policies whose threads write what others check: one thread decides nothing for several."""


def mutants_shown() -> list[list[str]]:
    """The rows of the table, with lines that go on joined."""
    shown: list[list[str]] = []
    for row in rows(6):
        if not row[4]:
            shown[-1] = [" ".join(filter(None, pair)) for pair in zip(shown[-1], row, strict=True)]
        else:
            shown.append(row)
    return shown


def is_of(cell: str, whole: str) -> bool:
    """Is this what the table shows of it?  A name that is too long for its column goes on in the next line."""
    return re.fullmatch(".*".join(map(re.escape, cell.replace(" ", "").split("…"))), whole.replace(" ", "")) is not None


def test_the_table_of_mutants_is_the_text() -> None:
    """Every cell of it; what is too long for its column goes on in the next line, or is cut there."""
    shown = mutants_shown()
    expected = []
    for policy, mutant in all_mutants():
        if (policy.name, mutant.name) in LONG:
            continue  # the output is of a quick run
        pinned = CAUGHT[mutant.name] if policy is FOLDED else CAUGHT_ELSEWHERE[policy.name, mutant.name]
        noticed = policy is FOLDED and (can_show(mutant.name) or mutant.name in SHOWS)
        expected.append(
            (
                mutant_label(policy.name, mutant.name),
                mutant.rule,
                pinned[2],
                " ".join(pinned[:2]),
                "caught" if noticed else "-",
            )
        )
    assert len(shown) == len(expected)
    for row, cells in zip(shown, expected, strict=True):
        assert all(is_of(cell, whole) for cell, whole in zip((*row[:4], row[5]), cells, strict=True)), (row, cells)


@pytest.mark.parametrize("mutant", Text().mutants)
def test_the_steps_are_those_of_the_counterexample(mutant: str) -> None:
    (steps,) = {row[4] for row in mutants_shown() if is_of(row[0], mutant)}
    assert int(steps) == len(counterexample(mutant).path) - 1


def test_the_summary_is_of_one_piece() -> None:
    """How many interrupts it is, takes minutes to find out: `test_the_page_shows_the_whole_output`."""
    (programs,) = re.findall(r"^differential: ([\d,]+) interrupts in (\d+) programs, 0 mismatches", SHOWN, re.MULTILINE)
    assert int(programs[1]) == len(corpus())
    mutants = len(all_mutants()) - len(LONG)
    last = f"holds: {len(COUNTS)} scopes, {mutants} of {mutants} mutants caught, {programs[0]} interrupts tried"
    assert SHOWN.splitlines()[-1] == last


@pytest.mark.nightly  # it is the main job: 3 minutes on two cores
@pytest.mark.timeout(1800)
def test_the_page_shows_the_whole_output() -> None:
    command = [sys.executable, "-c", "from safepoint.cli.entry import main; main()", "verify", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1700, check=False)
    assert done.returncode == 0
    assert output.steady(done.stdout) == output.steady(SHOWN), "make output"


def test_readme_shows_lines_of_that_output() -> None:
    """In their order; what is left out between them is marked."""
    (block,) = re.findall(r"^```text\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    left = iter(SHOWN.splitlines())
    shown = [line for line in block.splitlines() if line != "…"]
    assert [line for line in shown if line not in left] == []
    assert 8 <= len(shown) <= 24


def test_readme_is_read_on_two_screens() -> None:
    assert len(README.splitlines()) <= 100
