"""Second opinions from Spin: as many states and transitions as our explorer, and the same verdict.

Not confirmed by Spin: declared-bound, since nothing counts checks there; and that what must happen in the end does, of which it
confirms the counterexamples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.text import Text
from safepoint.model.bounds import BROKEN as BOUND
from safepoint.model.custom import chosen_of, judge_of
from safepoint.model.eventually import EVENTUALLY, QUIET, following, goals
from safepoint.model.explore import search
from safepoint.model.fairness import BROKEN as FAIRNESS
from safepoint.model.goal import FAIR, Assumption
from safepoint.model.memory.names import SC, TSO
from safepoint.model.properties import ALWAYS, Properties
from safepoint.model.scopes import SCOPES, Scope, chosen
from safepoint.model.system import Model
from safepoint.proof.promela import export, identifier, variable
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.words import MANAGED, PARKED
from tests.model.counterexamples import ALL_CAUGHT, counterexample, mutated
from tests.model.own_worlds import explored, text_of
from tests.proof.mistakes import MISTAKES
from tests.proof.spin import MISSING, Opinion, ask_pan, ask_spin, make_pan, watch

TEXT = Text()
DATA = Path(__file__).parents[1] / "model" / "data"
COUNTS: dict[str, list[int]] = json.loads((DATA / "counts.json").read_text(encoding="utf-8"))
"""policy/memory/scope -> states, transitions: `test_model` has them of our explorer, this file of Spin."""
HANDLER = "signal_handler"
"""A role that runs on a thread, which stands still meanwhile: a process of Promela cannot."""
TINY = {scope.name for scope in chosen("tiny") if HANDLER not in scope.roles}
WRITE_EACH_WORD = {"dart/tso/handshake-1", "dart/sc/masks-1", "cpython/tso/handshake-1", "pypy/tso/handshake-1"}
"""Of the other policies the scopes in which each of their words is written."""

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"no second opinion from Spin: {' and '.join(MISSING)} not installed (Debian: spin, gcc)"
)


def ours(model: Model) -> tuple[int, int]:
    result = search(model, Properties(model).judge)
    assert result.broken == ""
    return result.states, result.transitions


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(key, marks=() if key.startswith("folded/") or key in WRITE_EACH_WORD else pytest.mark.nightly)
        for key in COUNTS
        if key.split("/")[2] in TINY and key.split("/")[1] in (SC, TSO)
    ],
)
def test_spin_finds_as_many_states(key: str, tmp_path: Path) -> None:
    policy, memory, scope = key.split("/")
    model = Model(TEXT, SCOPES[scope], policy=POLICIES[policy], memory=memory)
    states, transitions = COUNTS[key]
    assert ask_spin(tmp_path, export(model)) == Opinion(states, transitions, 0, "")


def mutants_of(*broken: str) -> list[tuple[str, str]]:
    """The mutants that break one of these properties, each with the policy that shows it."""
    asked = [(key, scope) for key, (scope, memory, _) in ALL_CAUGHT.items() if memory in (SC, TSO)]
    shown = [key for key, scope in asked if HANDLER not in SCOPES[scope].roles]
    return [key for key in shown if ALL_CAUGHT[key][2] in broken]


@pytest.mark.parametrize(("policy", "mutant"), mutants_of(*ALWAYS.keys() - {BOUND, FAIRNESS}))
def test_spin_refutes_every_mutant(policy: str, mutant: str, tmp_path: Path) -> None:
    found = counterexample(mutant, policy)
    opinion = ask_spin(tmp_path, export(found.model))
    assert opinion.errors == 1
    kind = "invalid end state" if found.broken == "no-deadlock" else "assertion violated"
    assert kind in opinion.complaint


@pytest.mark.parametrize("name", MISTAKES)
def test_spin_refutes_what_no_mutant_breaks(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    model = Model(mistake.text(tmp_path), mistake.scope)
    assert search(model, Properties(model).judge).broken == mistake.broken
    assert "assertion violated" in ask_spin(tmp_path, export(model)).complaint


@pytest.mark.parametrize(("policy", "mutant"), mutants_of(BOUND))
def test_spin_finds_nothing_else_wrong_where_a_bound_is_broken(policy: str, mutant: str, tmp_path: Path) -> None:
    """That the bound is broken is ours alone to say: Spin agrees on the states, and that all else holds in them."""
    model = mutated(mutant, policy)
    assert ask_spin(tmp_path, export(model)) == Opinion(*ours(model), 0, "")


def goal(model: Model, broken: str, assumption: Assumption) -> str:
    """What can never happen again behind a trap, as the model says it in Promela."""
    requester = model.requesters[0]
    begins = f"{identifier(requester.name)}@L{requester.pc.get(model.initial)}"
    words = [variable(c) for c in model.cells if c.owner == 0 and c.word.split("[")[0] in model.policy.words]
    shared = [f"{variable(c)} == {model.initial_of(c)}" for c in model.checked_by_all]
    return {
        "world-starts": "world_stop == 0",
        "world-stops": f"stopped || {begins}" if assumption is QUIET else "stopped",
        "handshake-returns": begins,
        "request-is-seen": "T0_asleep || T0_owed == 0 && T0_held == 0",
        "checks-pass": " && ".join(["T0_in_guest", *(f"{word} > 0" for word in words), *shared]),
    }[broken]


def quiet(model: Model, source: str) -> str:
    """The model without the steps by which a requester begins anew."""

    def idle(process: re.Match[str]) -> str:
        return re.sub(rf"(\nL{first}: [^\n]*\n  if\n).*?(\n  fi;)", r"\1  :: false\2", process[0], flags=re.DOTALL)

    for requester in model.requesters:
        first = requester.pc.get(model.initial)
        process = rf"proctype {identifier(requester.name)}\(\) {{.*?\n}}"
        source = re.sub(process, idle, source, flags=re.DOTALL)
    return source


UNDER: dict[Assumption, Callable[[Model, str], str]] = {QUIET: quiet, FAIR: lambda _model, source: source}
"""The model without the steps that an assumption does not count on: no mutant needs another assumption."""


WHILE_OTHERS_STAY = ("patched", "asks-those-outside")
"""A trap only if no other thread comes back from native code: the model in Promela has no way to leave that out."""


@pytest.mark.parametrize(("policy", "mutant"), [key for key in mutants_of(*EVENTUALLY) if key != WHILE_OTHERS_STAY])
def test_spin_finds_no_way_out_of_a_trap(policy: str, mutant: str, tmp_path: Path) -> None:
    """A mutant of what happens in the end breaks nothing that is always true.  But begun in the state that our explorer calls
    a trap, the model never comes to the goal, under the assumption that makes it one; begun where it begins, it does.
    """
    found, model, trap = counterexample(mutant, policy), mutated(mutant, policy), mutated(mutant, policy)
    condition = found.detail.rpartition(": ")[2]
    assumption = next(each.assumption for each in goals(model) if each.assumption.says == condition)
    watched = watch(goal(model, found.broken, assumption))
    make_pan(tmp_path, export(model) + watched)
    assert ask_pan(tmp_path) == Opinion(found.states, found.transitions, 0, "")
    assert "assertion violated" in ask_pan(tmp_path, watched=True).complaint
    trap.initial = found.path[-1]
    make_pan(tmp_path, UNDER[assumption](model, export(trap)) + watched)
    behind = ask_pan(tmp_path, "-E", watched=True)  # where no requester asks, all may stand still
    assert (behind.states, behind.errors) == (len(following(model, trap.initial, assumption)), 0)


def too_many_stops(most: int, thread: int = 0) -> str:
    """A never claim, which takes a step with each of the model's: more than `most` stops are reached while the thread wants to run.

    N3_1: it has come by three stops since it last did not want to, and the world is stopped.
    """
    wants = f"((T{thread}_state == {MANAGED} || T{thread}_state == {PARKED}) && !T{thread}_in_guest)"
    states = "".join(
        f"N{n}_{now}: if :: !{wants} && stopped -> goto N0_1 :: !{wants} && !stopped -> goto N0_0"
        f" :: {wants} && !stopped -> goto N{n}_0 :: {wants} && stopped -> goto N{n if now else n + 1}_1 fi;\n"
        for n in range(most + 1)
        for now in (0, 1)
    )
    return f"never more_than_{most} {{\n{states}N{most + 1}_1: skip\n}}\n"


@pytest.mark.rule("HELD-RUNS-FIRST")
@pytest.mark.parametrize(("mutant", "most"), [("", 1), ("stops-again-at-once", None)])
def test_spin_counts_as_many_stops_in_a_row(mutant: str, most: int | None, tmp_path: Path) -> None:
    """By an automaton beside the model, which is how we do not count them; without a bound each of the first is exceeded."""
    source = export(Model(TEXT, SCOPES["fairness-1"], mutant))
    make_pan(tmp_path, source + "".join(map(too_many_stops, range(3))))
    for n in range(3):
        found = ask_pan(tmp_path, "-N", f"more_than_{n}").complaint
        assert ("end state in claim reached" in found) == (most is None or n < most), found


@pytest.mark.parametrize("threads", [1, 2])
def test_spin_finds_as_many_states_in_somebodys_own_text(threads: int, tmp_path: Path) -> None:
    model = Model(Text((DATA / "limit_only.py",)), Scope("limit-only", "", threads, ("coordinator",), "", widths=()))
    result = search(model, judge_of(model))
    assert ask_spin(tmp_path, export(model)) == Opinion(result.states, result.transitions, 0, "")


@pytest.mark.parametrize("memory", [SC, TSO])
@pytest.mark.parametrize("name", ["lost", "lost_once", "spin_loop"])
def test_spin_finds_no_deadlock_in_a_quiet_world(name: str, memory: str, tmp_path: Path) -> None:
    """`lost_once` comes to a state where no process can move, and each may stand there for ever; and all say what is owed."""
    text = Text((DATA / "own_texts" / f"{name}.py",))
    model = Model(text, next(iter(chosen_of(text, "tiny"))), memory=memory)
    result = search(model, judge_of(model))
    assert ask_spin(tmp_path, export(model)) == Opinion(result.states, result.transitions, 0, "")


ADDS = """\
        case "adds":
            when(t.i < 3)
            t.i += 1
            t.x.store(t.i)
            fence()
"""
OWN = f"""\
def mutator(t: Me) -> None:
    match choose():
{ADDS}\
        case "moves":
            with atomic():
                wait(world.count.load() > 0)
                n = world.count.fetch_sub(1)
                t.y.store(n)
                m = t.y.load()
                match choose():
                    case "all":
                        world.full.fetch_add(m)
                    case "none":
                        t.i = 0
        case "waits":
            while t.x.load() < 2 and not t.i == 1:
                t.x.fetch_add(1)
    return mutator(t)


@each_thread
def backup(t: Thread) -> None:
    for u in threads():
        if world.full.load() == 2 or u is not t:
            u.held.swap(1)
            break
    with atomic():
        for u in threads():
            u.held.store(0)
        world.count.store(1)
        world.full.store(0)
    t.x.store(0)
    t.x.cas(0, 0)
    return backup(t)
"""


@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize("threads", [1, 2])
def test_spin_finds_as_many_states_with_all_that_an_own_text_can_say(threads: int, memory: str, tmp_path: Path) -> None:
    """But handlers: a process of Promela cannot stand still while another runs on it."""
    text = text_of(tmp_path, OWN if threads == 1 else OWN.replace(ADDS, ""))  # with it, more than 400,000 states
    result = explored(text, threads=threads, memory=memory)
    assert not result.broken
    assert result.states > 100
    assert ask_spin(tmp_path, export(result.model)) == Opinion(result.states, result.transitions, 0, "")


def test_the_command_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "model.pml"
    done = CliRunner().invoke(cli, ["explore", "--scope", "interrupt-1", "--memory", "tso", "--promela", str(file)])
    assert done.exit_code == 0, done.output
    assert file.read_text() == export(Model(TEXT, SCOPES["interrupt-1"], memory="tso"))
    about, names = done.stderr.strip().split(" Spin is not told of ")
    untold = {"declared-bound", "request-is-seen", "request-is-posted", "thread-runs", "checks-pass", "world-starts"}
    assert (about, set(names.split(", "))) == (f"{file}:", untold)
    assert f"not judged here: {names} */" in file.read_text().splitlines()[0]


GOES = """
class World:
    go: Word

class Thread:
    pass

class Me(Thread):
    pass

world: World

def mutator(t: Me) -> None:
    seen = world.go.load()
    eventually("it goes", seen == 1)
    return mutator(t)

def setter() -> None:
    world.go.store(1)
    return setter()
"""


def test_what_a_text_calls_eventual_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(GOES)
    explore = ["explore", "--protocol", f"{tmp_path}/own.py", "--scope", "setter-1", "--memory", "sc"]
    done = CliRunner().invoke(cli, [*explore, "--promela", f"{tmp_path}/m.pml"])
    assert done.stderr.strip().endswith("m.pml: Spin is not told of comes-round, it goes"), done.output


def test_the_command_writes_one_scope_only(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["explore", "--scope", "tiny", "--promela", str(tmp_path / "model.pml")])
    assert done.exit_code == 2
    assert re.search(r"--promela takes one scope, not \d+ \(name one: --scope ", done.output)


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
