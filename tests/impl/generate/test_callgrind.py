"""What a policy's checks add, counted by callgrind as it is executed: as many instructions as are counted in the listing of the fast path."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from safepoint.differential.costs import WITHOUT
from safepoint.protocol.policies import POLICIES
from safepoint_vm.costs import SITES, variant_of
from safepoint_vm.generate.engine import engine
from safepoint_vm.target import FoldedTarget
from tests.impl.generate.counted import MARK, OTHERS, PROGRAMS, RUNS, TURNS

ROOT = Path(__file__).parents[3]
VALGRIND = shutil.which("valgrind")
COSTED = {p.name: p for p in POLICIES.values() if FoldedTarget().has_checks_of(p)}
NO_PROTOCOL = ""
"""In place of a policy's name."""
NEAR = 0.25
"""Of an instruction, for a turn: half of one would be another number."""


@cache
def executed(policy: str) -> Mapping[str, float]:
    """Program -> instructions of one more turn.  Python's own, before and after, are the same for N turns and for 2 N."""
    engine(variant_of(COSTED.get(policy, WITHOUT)))  # compiled, and in the cache: under valgrind that takes minutes
    with TemporaryDirectory() as folder:
        subprocess.run(
            [str(VALGRIND), "-q", "--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={folder}/counts",
             sys.executable, "-m", "tests.impl.generate.counted", policy],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "0"}, check=True, timeout=500,
        )  # fmt: skip
        parts = sorted(Path(folder).glob("counts.*"), key=lambda file: int(file.suffix[1:]))
        counts = [int(re.findall(r"^summary: (\d+)$", part.read_text(), re.MULTILINE)[0]) for part in parts]
    between = counts[1::2]  # the first ends at the first mark
    assert len(between) == (len(PROGRAMS) + len(OTHERS)) * len(RUNS)
    once, twice = (between[n :: len(RUNS)] for n in (RUNS.index(TURNS), RUNS.index(2 * TURNS)))
    return {name: (more - less) / TURNS for name, less, more in zip((*PROGRAMS, *OTHERS), once, twice, strict=True)}


def test_each_kind_of_site_is_in_a_program() -> None:
    passed = set().union(*(sites for _, sites in PROGRAMS.values()))
    assert set(SITES) <= passed


@pytest.mark.nightly  # half a minute each
@pytest.mark.timeout(1200)
@pytest.mark.skipif(VALGRIND is None, reason="no valgrind: executed instructions are not counted (install valgrind)")
@pytest.mark.parametrize("policy", COSTED)
def test_callgrind_counts_what_the_listing_says(policy: str) -> None:
    """A turn passes a back-edge; in one program a frame push, too, in one an allocation.  Back-edges with a condition cost about the same."""
    added, with_checks, without = FoldedTarget().instructions(COSTED[policy]), executed(policy), executed(NO_PROTOCOL)
    for name, (_, sites) in PROGRAMS.items():
        expected = sum(count * added.get(kind, 0) for kind, count in sites.items())
        assert with_checks[name] - without[name] == pytest.approx(expected, abs=NEAR), name
        assert without[name] > 10, "the program does something"
    for name in OTHERS:
        assert with_checks[name] - without[name] == pytest.approx(added["back_edge"], abs=1 + NEAR), name
