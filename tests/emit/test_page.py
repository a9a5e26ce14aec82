"""docs/adopt.md: its commands are run, in its order, as it shows them; and what it says there is to call is in the header."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from safepoint.emit.choose import choose, needed
from safepoint.emit.header import header
from safepoint.emit.title import no_header
from safepoint.graph.gather import text_of
from safepoint.graph.text import Text
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Policy
from tests.emit.building import ROOT, TINY, needs_cc

PAGE = (ROOT / "docs" / "adopt.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXACT = "safepoint conform"
"""Nothing in what this prints depends on the scheduler."""


def without_numbers(said: str) -> str:
    """What threads do on real cores is another each time: how often, how many, and which of two was first."""
    said = re.sub(r"^orders of what overlaps: .*\n", "", said, flags=re.MULTILINE)  # said if there was more than one
    said = re.sub(r"(?<=run\.trace:)\d+: T\d: took [A-Z|]+:", "N: T: took:", said)
    return re.sub(r"\b\d[\d,]*\b", "N", re.sub(r"(?<=never happened: ).*", "…", said))


@needs_cc
@pytest.mark.skipif(
    shutil.which("make") is None, reason="no make: the commands of docs/adopt.md are not run (install make)"
)
def test_the_page_from_top_to_bottom(tmp_path: Path) -> None:
    """In a copy of the checkout's examples, with a million requests made a few thousand."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    command = binaries / "safepoint"
    command.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from safepoint.cli.entry import main; main()' \"$@\"\n", encoding="utf-8"
    )
    command.chmod(0o755)
    (binaries / "python").symlink_to(sys.executable)
    shutil.copytree(
        TINY,
        tmp_path / "examples" / "tiny_vm",
        ignore=shutil.ignore_patterns("safepoint.h", "*.so", "tiny_vm*", "__pycache__"),
    )
    (program,) = re.findall(r"^```c\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "mine.c").write_text(program, encoding="utf-8")
    paths = os.pathsep.join([".", str(ROOT / "spec"), str(ROOT / "impl")])
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": paths}
    ran = 0
    for block in CONSOLE:
        for line, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            done = subprocess.run(
                ["sh", "-c", line.replace("1000000", "4000")], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110, check=False
            )  # fmt: skip
            said = done.stdout + done.stderr
            assert done.returncode == int("refused: " in shown), said
            if line.startswith(EXACT):
                assert said == shown
            else:
                assert without_numbers(said) == without_numbers(shown)
            ran += 1
    assert ran == 11


def test_what_there_is_to_call_is_all_there_is() -> None:
    """Each procedure that a role of the text calls, and nothing that the header has not."""
    table = PAGE.partition("\n## 3. ")[2].partition("\n## ")[0]
    named = set(re.findall(r"\bsp_\w+", table))
    whole = "".join(header(POLICIES[name]).partition("what there is to call")[2] for name in EMITTED)
    assert named <= set(re.findall(r"\bsp_\w+", whole))
    for policy in (POLICIES[name] for name in EMITTED):
        chosen = choose(text_of(policy), policy)
        called = {f"sp_{chosen.called(name)}" for name in needed(chosen.text, chosen.bodies, policy.sites)}
        assert called - {"sp_look"} <= named  # `sp_woken` looks


FIRST = PAGE.partition("\n## 2. ")[0]
EMITTED = [name for name, policy in POLICIES.items() if not no_header(policy)]


def test_the_table_has_every_policy() -> None:
    assert re.findall(r"^\| `((?!sp_)\w+)` \|", FIRST, re.MULTILINE) == EMITTED


def within(policy: Policy) -> str:
    frames, back_edges = policy.declared.frames, policy.declared.back_edges
    if frames is None:
        assert (policy.declared.returns or policy.declared.allocations) == 1
        return f"1 {policy.elsewhere}" + (" or back-edge" if back_edges else "")
    if policy.period and frames == back_edges:
        return "`ticker` checks"
    assert frames == 1
    if policy.period:
        return "1 frame push, `budget` back-edges"
    if back_edges is None:
        return "1 frame push"
    assert back_edges == 1
    return "1 check"


@pytest.mark.parametrize("policy", [POLICIES[name] for name in EMITTED], ids=lambda p: p.name)
def test_the_page_says_which_functions_each_header_has(policy: Policy) -> None:
    """Those that section 3 names and that not every policy has; and what differs in those that each has."""
    column = EMITTED.index(policy.name)
    code = header(policy).partition("#ifndef")[2]
    table = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in FIRST.splitlines() if line.startswith("| ")
    ]
    rows = {cells[0]: cells[1 + column] for cells in table if len(cells) == 1 + len(EMITTED)}
    said = {
        name: has for first, has in rows.items() if has in ("yes", "no") for name in re.findall(r"`(sp_\w+)`", first)
    }
    named = set(re.findall(r"`(sp_\w+)\(", PAGE.partition("\n## 3. ")[2].partition("\n## ")[0]))
    assert {name for name, has in said.items() if has == "yes"} == {name for name in said if f" {name}(" in code}
    assert {name for name in named - {*said} if f" {name}(" not in code} == set()
    (made,) = re.findall(r"sp_make_thread\(\n.*uintptr_t limit, (?:const )?(.*)uint32_t state\)", code)
    assert re.findall(r"`(\w+)`", rows["`sp_make_thread(t, limit, …, state)`: between them"]) == re.findall(
        r"uintptr_t (\w+)", made
    )
    assert bool(rows["`sp_back_edge(t, …)`"]) == ("sp_back_edge(struct sp_thread *t, unsigned word)" in code)
    assert rows["a request is noticed within"] == within(policy)


def test_the_page_has_every_switch() -> None:
    switches = re.findall(r"^\| `SP_(\w+)` \|", PAGE, re.MULTILINE)
    assert tuple(map(str.lower, switches)) == choose(Text(), FOLDED).switches


def test_the_limits_that_the_page_names_are_those_of_the_example() -> None:
    hooks = [
        line
        for line in (TINY / "vm.h").read_text(encoding="utf-8").partition('#include "safepoint.h"')[0].splitlines()
        if "(" in line
    ]
    assert len(hooks) <= 15
    assert "a VM of 300 lines of C" in PAGE
