"""Second opinions from Spin: as many states and transitions as our explorer, and the same verdict."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli import cli
from safepoint.model.explore import NotExplored, search
from safepoint.model.mutants import hunt
from safepoint.model.own import judge_of
from safepoint.model.promela import export
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES, Scope, chosen
from safepoint.model.system import Model
from safepoint.model.text import Text
from safepoint.policy import FOLDED, POLICIES, Policy

TEXT = Text()
DATA = Path(__file__).parent / "data"
MOST = 250_000
"""States: a larger scope takes longer than a test may."""

MISSING = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(
        bool(MISSING), reason=f"no second opinion from Spin: {' and '.join(MISSING)} not installed (Debian: spin, gcc)"
    ),
]


@dataclass(frozen=True)
class Opinion:
    states: int
    transitions: int
    errors: int
    complaint: str  # Spin's own words for the first error


def run(where: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-500:]}"
    return done.stdout


def ask_spin(where: Path, source: str, *defines: str) -> Opinion:
    """Up to the first error.  -o2: words that are only written are part of a state too."""
    (where / "model.pml").write_text(source)
    complaints = run(where, "spin", "-a", "-o2", *defines, "model.pml")
    assert "rror" not in complaints, complaints
    run(where, "gcc", "-O0", "-w", "-DNOREDUCE", "-DSAFETY", "-o", "pan", "pan.c")
    told = run(where, "./pan", f"-m{2 * MOST}", "-w18")
    assert "max search depth too small" not in told
    states, transitions, errors = (
        int(match[1])
        for pattern in (r"(\d+) states, stored", r"(\d+) transitions", r"errors: (\d+)")
        if (match := re.search(pattern, told))
    )
    complaint = re.search(r"pan:1: (.*)", told)
    # Spin counts how the initial state came to be as a transition
    return Opinion(states, transitions - 1, errors, complaint[1] if complaint else "")


def ours(model: Model) -> tuple[int, int]:
    result = search(model, Properties(model).judge, MOST)
    assert result.broken == ""
    return result.states, result.transitions


def agree(model: Model, where: Path) -> None:
    try:
        counted = ours(model)
    except NotExplored as why:
        pytest.skip(f"left out: {model.scope.name} under {model.memory}: {why}")
    opinion = ask_spin(where, export(model))
    assert (opinion.states, opinion.transitions) == counted
    assert opinion.errors == 0, opinion.complaint


@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize("scope", chosen("tiny"), ids=lambda s: s.name)
def test_spin_finds_as_many_states(scope: Scope, memory: str, tmp_path: Path) -> None:
    agree(Model(TEXT, scope, memory=memory), tmp_path)


@pytest.mark.parametrize("policy", [p for p in POLICIES.values() if p != FOLDED], ids=lambda p: p.name)
def test_spin_finds_as_many_states_in_other_families(policy: Policy, tmp_path: Path) -> None:
    agree(Model(TEXT, SCOPES["handshake-1"], policy=policy, memory="tso"), tmp_path)


@pytest.mark.parametrize("mutant", TEXT.mutants)
def test_spin_refutes_every_mutant(mutant: str, tmp_path: Path) -> None:
    found = hunt(TEXT, mutant).result
    assert found is not None
    opinion = ask_spin(tmp_path, export(found.model))
    assert opinion.errors == 1
    kind = "invalid end state" if found.broken == "no-deadlock" else "assertion violated"
    assert kind in opinion.complaint


@pytest.mark.parametrize("threads", [1, 2])
def test_spin_finds_as_many_states_in_somebodys_own_text(threads: int, tmp_path: Path) -> None:
    model = Model(Text((DATA / "limit_only.py",)), Scope("limit-only", "", threads, ("coordinator",), "", widths=()))
    result = search(model, judge_of(model), MOST)
    assert ask_spin(tmp_path, export(model)) == Opinion(result.states, result.transitions, 0, "")


def test_the_command_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "model.pml"
    done = CliRunner().invoke(cli, ["explore", "--scope", "interrupt-1", "--memory", "tso", "--promela", str(file)])
    assert done.exit_code == 0, done.output
    assert file.read_text() == export(Model(TEXT, SCOPES["interrupt-1"], memory="tso"))


def test_the_command_writes_one_scope_only(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["explore", "--scope", "tiny", "--promela", str(tmp_path / "model.pml")])
    assert done.exit_code == 2
    assert re.search(r"--promela: \d+ scopes \(name one: --scope ", done.output)


# ---------------------------------------------------------------------------------------------- the core, written by hand

CORE = (DATA / "core.pml").read_text()


@pytest.mark.parametrize("roles", [("interrupter",), ("coordinator",), ("coordinator", "interrupter")], ids="+".join)
def test_the_core_by_hand_has_as_many_states(roles: tuple[str, ...], tmp_path: Path) -> None:
    """Written from reading the text, without our compiler: so what is one step is what was meant."""
    opinion = ask_spin(tmp_path, CORE, "-DN=1", *(f"-D{role.upper()}" for role in roles))
    assert (opinion.states, opinion.transitions) == ours(Model(TEXT, Scope("core", "", 1, roles, "")))
    assert opinion.errors == 0, opinion.complaint


def test_the_core_by_hand_for_two_threads(tmp_path: Path) -> None:
    opinion = ask_spin(tmp_path, CORE, "-DN=2", "-DINTERRUPTER")
    assert (opinion.states, opinion.transitions) == ours(Model(TEXT, Scope("core", "", 2, ("interrupter",), "")))


def test_the_core_by_hand_can_break(tmp_path: Path) -> None:
    """Its own broken twin: a thread that comes back without looking runs while the world is stopped."""
    looks = ":: stop == 1 -> goto park"
    assert CORE.count(looks) == 1
    opinion = ask_spin(tmp_path, CORE.replace(looks, ":: stop == 1 -> goto guest"), "-DN=1", "-DCOORDINATOR")
    assert "assertion violated" in opinion.complaint
