"""The induction over any number of threads: it holds, every core mutant loses it, and it reads the text as the explorer does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from safepoint.graph.ir import Cell
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.explore import search
from safepoint.model.properties import ALWAYS, Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.proof.any_number import argument
from safepoint.proof.guarded import GHOSTS
from safepoint.proof.induction import COVERS, NoProof, induction
from safepoint.protocol import files
from tests.model.pinned import CAUGHT
from tests.proof.mistakes import MISTAKES, Mistake, edited

if TYPE_CHECKING:
    import z3

    from safepoint.proof.symbolic import State

TEXT = Text()
CORE = [
    replace(s, threads=1)
    for s in SCOPES.values()
    if set(s.roles) <= {"coordinator", "interrupter"} and len(set(s.roles)) == len(s.roles)
    and not s.slices and not s.widths and s.depth == 1 and s.threads == 1
]  # fmt: skip
"""The scopes that the induction speaks of: no features, at most one requester of each kind."""

needs_solver = pytest.mark.skipif(
    importlib.util.find_spec("z3") is None, reason="z3-solver is not installed: pip install z3-solver"
)


PROVED = [name for name in ALWAYS if name in COVERS]
REFUTED = {
    mutant: broken
    for mutant, (scope, memory, broken) in CAUGHT.items()
    if scope in [s.name for s in CORE] and memory == "sc" and broken in PROVED
}
"""Mutant -> what the explorer sees broken in the core, under sequential consistency: `test_model` says so."""


@needs_solver
def test_the_core_is_inductive() -> None:
    result = induction(TEXT)
    assert result.holds, result.counterexample
    assert result.steps > 0
    assert result.vacuous == (), "the invariant says that these steps are never made"


@needs_solver
@pytest.mark.parametrize("mutant", REFUTED)
def test_what_the_explorer_refutes_is_not_inductive(mutant: str) -> None:
    """Were it inductive, one of the two would read the text wrongly."""
    result = induction(TEXT, mutant)
    assert not result.holds
    head, why, *state = result.counterexample.splitlines()
    assert any(f"[{file}:" in head for file in TEXT.lines), "it names the statement"
    assert why.startswith("breaks, for thread i: ")
    assert any(" -> " in line for line in state), "it shows what the step changed"


@pytest.mark.nightly  # 0.5 s a mutant, to see that nothing is to be seen
@pytest.mark.parametrize("mutant", [mutant for mutant in TEXT.mutants if mutant not in REFUTED])
def test_no_other_mutant_breaks_the_core(mutant: str) -> None:
    """Caught elsewhere first, one could break the core too: then it is for the solver as well."""
    for scope in CORE:
        model = Model(TEXT, scope, mutant)
        assert search(model, Properties(model).judge).broken not in PROVED


def test_the_core_has_a_mistake_for_each_property_that_is_proved() -> None:
    """What nothing here breaks has been put to no test."""
    assert set(PROVED) - set(REFUTED.values()) - {m.broken for m in MISTAKES.values()} <= {"no-missed-overflow"}


@needs_solver
@pytest.mark.parametrize("mistake", [m for m in MISTAKES.values() if m.broken in PROVED], ids=lambda m: m.broken)
def test_what_no_mutant_breaks_can_be_broken(mistake: Mistake, tmp_path: Path) -> None:
    assert mistake.scope in CORE
    assert not induction(mistake.text(tmp_path)).holds


@needs_solver
def test_the_solver_reads_the_same_transition_system_as_the_explorer() -> None:
    """Every state that is reached is inside the invariant, and the steps from it are the explorer's, one for one."""
    import z3

    from safepoint.proof.invariant import Invariant, conjunction
    from safepoint.proof.symbolic import THREADS, real, word

    core, zero = Invariant(TEXT, ""), z3.IntVal(0)
    whole = conjunction([*core.world(core.state), *core.thread(core.state, zero)])
    model = Model(TEXT, next(s for s in CORE if len(s.roles) == 2))
    alone = [(THREADS, z3.IntVal(1)), (core.process, zero), (core.chosen, zero)]
    sizes = [(real(base, zero), word(value)) for base, value in model.reals.items()]
    compared = [*core.words, *(("thread" if r.threads else r.name, "at") for r in core.roles)]  # dead locals may differ
    for state in somewhere(model):
        here = [(term, _term(term, _get(model, state, *key))) for key, term in core.state.items()]

        def value(term: z3.ExprRef, here: list[tuple[z3.ExprRef, z3.ExprRef]] = here) -> z3.ExprRef:
            return z3.simplify(z3.substitute(z3.substitute(term, *alone), *here, *sizes))

        def number(key: tuple[str, str], after: State, value: Callable[..., z3.ExprRef] = value) -> int:
            return value(z3.Select(after[key], zero) if key[0] == "thread" else after[key]).as_long()

        assert z3.is_true(value(whole)), "a state that is reached is outside the invariant"
        for process, role in zip(model.processes, core.roles, strict=True):
            assert process.graph.name == role.graph.name
            news = [state ^ delta for delta in process.moves(state & process.footprint)]
            runs = role.moves(role.graph.steps[process.pc.get(state)], core.state)
            made = [r.state for r in runs if all(z3.is_true(value(c)) for c in r.conditions)]
            explored = {tuple(_get(model, new, *key) for key in compared) for new in news}
            assert {tuple(number(key, after) for key in compared) for after in made} == explored


def somewhere(model: Model) -> set[int]:
    """Of the states that are reached, one for each way from each place where a process can stand; and some more."""
    reached = list(search(model, lambda _: None).reached)
    found: dict[tuple[object, ...], int] = {}
    for process in model.processes:
        for key, state in {state & process.footprint: state for state in reached}.items():
            for edge in process.edges(key):
                found[process.name, edge.move.name, edge.move.cases, process.pc.get(key ^ edge.delta)] = state
    return {*found.values(), *reached[:: len(reached) // 20]}


def _get(model: Model, state: int, whose: str, what: str) -> int:
    """A word of a world of one thread, as the induction names it."""
    process = model.mutators[0] if whose == "thread" else next((m for m in model.processes if m.name == whose), None)
    if process and what == "at":
        return process.pc.get(state)
    if what in GHOSTS:
        return model.layout.ghosts[0][GHOSTS.index(what)].get(state)
    cell = model.cells.get(Cell("world" if whose == "world" else 0, what))
    where = cell or (process and (process.privates.get(what) or process.locals.get(what)))
    return where.get(state) if where else 0  # no such local there: a loop over threads is unrolled


def _term(like: z3.ExprRef, value: int) -> z3.ExprRef:
    """The number, as a term of the same sort; for an array, one that holds it everywhere."""
    import z3

    sort = like.sort()
    if isinstance(sort, z3.ArraySortRef):
        inner = z3.IntVal(value) if sort.range() == z3.IntSort() else z3.BitVecVal(value, sort.range().size())
        return z3.K(z3.IntSort(), inner)
    return z3.IntVal(value) if sort == z3.IntSort() else z3.BitVecVal(value, sort.size())


@needs_solver
def test_a_text_without_the_core_is_refused() -> None:
    path = Path(__file__).parents[1] / "model" / "data" / "limit_only.py"
    with pytest.raises(ProtocolError, match="no procedure 'interrupter'"):
        induction(Text((path,)))


@needs_solver
@pytest.mark.parametrize(
    ("name", "kind"),
    [("bits", "local"), ("end", "word"), ("critical", "procedure"), ("INTERRUPT", "constant"), ("lock", "word")],
)
def test_a_text_that_calls_things_otherwise_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    """The invariant finds its places by names: without one it would say nothing there."""
    renamed = [tmp_path / file.name for file in files()]
    for file, path in zip(files(), renamed, strict=True):
        path.write_text(re.sub(rf"\b{name}\b", f"{name}_", file.read_text(encoding="utf-8")))
    with pytest.raises(
        ProtocolError, match=f"the core of the text has no {kind} {name}, of which the invariant speaks"
    ):
        induction(Text(tuple(renamed), dict(zip(renamed, files(), strict=True))))


@needs_solver
def test_a_turn_without_an_access_has_no_verdict(tmp_path: Path) -> None:
    """A coordinator that tells only the first threads of a loop: the others' turns end in no step."""
    right = """                           # STOP-BEFORE-POST
        for t in threads():
            post(t, STOP)
"""
    wrong = """
        told = 0
        for t in threads():
            if told < 3:
                told = told + 1
                post(t, STOP)
"""
    text = edited("requester.py", right, wrong, tmp_path)
    with pytest.raises(NoProof, match=r"requester.py:\d+: coordinator can go round a loop without an access"):
        induction(text)
    found = argument(Model(text, SCOPES["stop-1"]))
    assert any(r.startswith("told: a local that the coordinator carries") for r in found.reasons), found.reasons


def test_without_the_solver_it_says_so() -> None:
    """In another interpreter, in which z3 cannot be imported."""
    program = (
        "import sys; sys.modules['z3'] = None\n"
        "from safepoint.graph import text\nfrom safepoint.proof import induction as proof\n"
        "try: proof.induction(text.Text())\n"
        "except proof.NoProof as e: print(e)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "z3-solver is not installed: pip install z3-solver"
