"""What a custom text says of all its threads at once, of what happens in the end, and of the worlds that it is meant for."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.graph.text import ProtocolError
from safepoint.model.custom import judge_of, read, scopes_of
from safepoint.model.explore import search
from safepoint.model.system import Model
from tests.model.said import RIGHT, SERVES, explore, own, verdict

# ---------------------------------------------------------------------------------------------- in the end

ENDS = """
def mutator(t: Me) -> None:
    match choose():
        case "takes":
            wait(world.lock.cas(0, 1))
            eventually("has-it", {of_it})
            held(t)
        case "computes":
            pause()
    return mutator(t)


def held(t: Me) -> None:
    t.mine = 1
    pause()
    t.mine = 0
    {leaves}


def looker() -> None:
    world.lock.load()
    return looker()
"""


@pytest.mark.parametrize(
    ("of_it", "leaves", "broken"),
    [
        ("1 == 1", "world.lock.store(0)", ""),
        ("t.mine == 1", "world.lock.store(0)", "has-it"),  # never true here
        ("1 == 1", "world.lock.load()", "has-it"),  # a lock that leaks: round they come, without it
    ],
)
def test_what_a_thread_must_come_to_in_the_end(of_it: str, leaves: str, broken: str, tmp_path: Path) -> None:
    said = own(tmp_path, ENDS.format(of_it=of_it, leaves=leaves), "--scope", "small")
    assert said.broken == broken
    assert not broken or 'from here on, whatever happens, T0 never comes to "has-it" again' in said.out


# ---------------------------------------------------------------------------------------------- global claims

LEAVES = ENDS.format(of_it="1 == 1", leaves="world.lock.store(0)")


@pytest.mark.parametrize(
    ("says", "broken"),
    [
        ("claim('c', world.lock.load() <= 1)", ""),
        ("claim('c', world.lock.load() == 0)", "c"),
        ("n = 0\n    for t in threads():\n        n = n + at(t, held)\n    claim('c', n <= 1)", ""),
        ("n = 0\n    for t in threads():\n        n = n + at(t, held)\n    claim('c', n < 1)", "c"),
        ("n = 0\n    for t in threads():\n        n = n + at(t, held)\n    claim('c', world.lock.load() - n >= 0)", ""),
        ("n = 0\n    for t in threads():\n        n = n + t.mine\n    claim('c', n <= world.lock.load())", ""),
        ("for t in threads():\n        claim('c', t.mine == 0)", "c"),
        ("for t in threads():\n        if t.mine == 1:\n            claim('c', world.lock.load() == 1)", ""),
        ("for t in threads():\n        claim('c', owed(t) == 0)", ""),
        ("claim('c', at(looker, looker) == 1)", ""),
        ("claim('c', at(looker, held) == 1)", "c"),
        ("for t in threads():\n        claim('c', t.flag.load() == 0)", ""),  # which no role touches
        ("for t in threads():\n        claim('c', t.limit.load() == t.limit.real)", ""),
        ("eventually('e', world.lock.load() == 1)", ""),
        ("eventually('e', world.lock.load() == 2)", "e"),
        ("claim('c', world.stop.load() == 1)", "c"),  # false at once, and for ever
        (
            "for t in threads():\n        if t.flag.load() == 1:\n            eventually('e', 1 == 1)",
            "e",
        ),  # no role sets it
        ("for t in threads():\n        if t.mine == 2:\n            eventually('e', 1 == 1)", "e"),
    ],
)
def test_a_claim_about_all_at_once(says: str, broken: str, tmp_path: Path) -> None:
    body = f"{LEAVES}\n\ndef always_it() -> None:\n    {says}\n"
    assert verdict(tmp_path, body, "--scope", "small") == broken
    assert verdict(tmp_path, body, "--memory", "tso") == broken


IDLE = """
def mutator(t: Me) -> None:
    pause()
    return mutator(t)


def looker() -> None:
    pause()
    return looker()


def always_it() -> None:
    claim("c", world.lock.load() == {value})
"""


@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_a_global_claim_is_asked_of_the_first_state_too(engine: str, tmp_path: Path) -> None:
    assert verdict(tmp_path, IDLE.format(value=0), "--engine", engine) == ""
    assert verdict(tmp_path, IDLE.format(value=1), "--engine", engine) == "c", "it has no other state"


@pytest.mark.parametrize(("of_it", "is_named"), [("== 0", False), ("== 3", True)])
def test_a_global_claim_that_no_state_is_asked_is_named(of_it: str, is_named: bool, tmp_path: Path) -> None:
    if_so = f"if world.lock.load() {of_it}:\n        claim("
    said = own(tmp_path, IDLE.format(value=0).replace("claim(", if_so))
    line = (tmp_path / "mine.py").read_text().splitlines().index("def always_it() -> None:") + 1
    assert said.code == 0
    assert (f'vacuous: never reached: mine.py:{line} claim("c")' in said.err) == is_named


def test_a_global_claim_that_claims_nothing_is_refused(tmp_path: Path) -> None:
    said = own(tmp_path, IDLE.format(value=0).replace('claim("c", ', "n = ("))
    assert (said.code, said.out) == (2, "")
    assert "always_it: it claims nothing (write instead: claim" in said.err


@pytest.mark.parametrize(("name", "code"), [("one", 2), ("other", 1)])
def test_no_eventually_answers_for_another(name: str, code: int, tmp_path: Path) -> None:
    more = f'\n\ndef always_too() -> None:\n    eventually("one", 1 == 1)\n    eventually("{name}", 1 == 2)\n'
    said = own(tmp_path, IDLE.format(value=0) + more)
    assert said.code == code, "two of one name: the second would be covered by the first"
    assert (
        "another eventually has the name 'one', and either would do (write instead: a name of its own)" in said.err
        or code == 1
    )


def test_a_global_claim_is_no_step_of_anybody(tmp_path: Path) -> None:
    own(tmp_path, LEAVES)
    with_it, without = tmp_path / "with.py", tmp_path / "mine.py"
    with_it.write_text(without.read_text() + "\n\ndef always_it() -> None:\n    claim('c', world.lock.load() <= 1)\n")
    found = []
    for file in (with_it, without):
        text = read(file)
        model = Model(text, scopes_of(text)["looker-2"])
        result = search(model, judge_of(model))
        found.append((result.states, result.transitions))
    assert found[0] == found[1]


def test_what_is_owed_is_known_to_a_global_claim(tmp_path: Path) -> None:
    body = SERVES.format(serves=RIGHT, waits="pause()")
    asks = "\n\ndef always_it() -> None:\n    for t in threads():\n        claim('c', owed(t) == t.pending.load())\n"
    assert verdict(tmp_path, body + asks) == ""
    assert verdict(tmp_path, body + asks.replace("owed(t) ==", "0 ==")) == "c"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("world.lock.store(1)", "mine.py:{line}:5: store is a step, and a global claim makes none (write instead: t.word.load(),"),
        ("wait(world.lock.load() == 1)", "wait needs exactly one load or cas"),
        ("pause()", "mine.py:{line}:5: pause is a step"),
        ("t = choose(threads())", "choose is a step"),
        ("for t in threads():\n        served(1, t)", "always_it() says served (write instead: claim"),
        ("claim('c', at(world, held) == 1)", "neither a thread nor a role (write instead: at(t, f), or at(role, f))"),
        ("claim('c', at(looker, lost) == 1)", "no procedure lost (write instead: at(t, f), with a procedure f of the text)"),
        ("claim('c', world.lost.load() == 1)", "World declares no word lost"),
    ],
)  # fmt: skip
def test_what_a_global_claim_cannot_do(says: str, told: str, tmp_path: Path) -> None:
    body = f"{LEAVES}\n\ndef always_it() -> None:\n    {says}\n"
    said = own(tmp_path, body)
    assert said.code == 2
    line = len((tmp_path / "mine.py").read_text().splitlines()) - len(says.splitlines()) + 1
    assert told.format(line=line) in said.err
    assert said.out == ""


def test_a_global_claim_has_no_parameter(tmp_path: Path) -> None:
    said = own(tmp_path, LEAVES + "\n\ndef always_it(t: Me) -> None:\n    claim('c', t.mine == 0)\n")
    assert (said.code, said.out) == (2, "")
    assert "always_it() has a parameter (write instead: a loop: for t in threads():)" in said.err


def test_promela_has_no_global_claim(tmp_path: Path) -> None:
    own(tmp_path, LEAVES + "\n\ndef always_it() -> None:\n    claim('c', world.lock.load() <= 1)\n")
    said = explore(tmp_path / "mine.py", "--promela", str(tmp_path / "m.pml"))
    assert (said.code, said.out) == (2, "")
    assert "always_it(): a global claim without a counterpart in Promela" in said.err


# ---------------------------------------------------------------------------------------------- worlds

TWO = """
def mutator(t: Me) -> None:
    pause()
    return mutator(t)


def one() -> None:
    world.lock.swap(1)
    wait(world.lock.load() == 0)
    return one()


def other() -> None:
    world.lock.swap(0)
    return other()
"""


def declared(tmp_path: Path, says: str) -> dict[str, tuple[str, int, tuple[str, ...]]]:
    file = tmp_path / "mine.py"
    own(tmp_path, TWO + f"\n\ndef scopes() -> None:\n    {says}\n")
    return {s.name: (s.group, s.threads, s.roles) for s in scopes_of(read(file)).values() if s.group != "named"}


def test_roles_are_together_unless_the_text_says_otherwise(tmp_path: Path) -> None:
    assert verdict(tmp_path, TWO) == ""
    assert verdict(tmp_path, TWO, "--scope", "one-1") == "comes-round"
    apart = TWO + "\n\ndef scopes() -> None:\n    scope('one', one)\n"
    assert verdict(tmp_path, apart) == "comes-round"


def test_a_text_declares_its_worlds(tmp_path: Path) -> None:
    assert declared(tmp_path, '"""Two."""; scope("both", one, other); scope("o", other, threads=3)') == {
        "both-1": ("tiny", 1, ("one", "other")),
        "both-2": ("small", 2, ("one", "other")),
        "both-3": ("nightly", 3, ("one", "other")),
        "o-3": ("tiny", 3, ("other",)),
    }


@pytest.mark.parametrize("says", ['scope("a", lost)', 'scope("a b", one)', 'scope("a")', 'scope("a", one, threads=4)',
                                  'scope("a", one, depth=1)', "scope(one)", "pause()", 'scope("a", one, "other")'])  # fmt: skip
def test_what_is_no_world_is_refused(says: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"mine\.py:\d+:5: not a scope \(write instead: scope\(\"name\", role"):
        declared(tmp_path, says)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ('scope("a", one)\n    scope("a", other)', "scope a is declared twice (write instead: another name for one of them)"),
        ('scope("a", one, frames=1)', 'no bound to hold it to: nothing is posted, or no case is a check (write instead: posted(…), and a case "push" or "back-edge")'),
    ],
)  # fmt: skip
def test_no_world_or_bound_is_dropped_in_silence(says: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError) as refused:
        declared(tmp_path, says)
    assert told in str(refused.value)


@pytest.mark.parametrize(("says", "is_named"), [('scope("a", other)', True), ('scope("a", one, other)', False)])
def test_a_role_in_no_world_is_named(says: str, is_named: bool, tmp_path: Path) -> None:
    said = own(tmp_path, TWO + f"\n\ndef scopes() -> None:\n    {says}\n")
    assert said.code == 0
    assert ('one is in no scope that the text declares (write: scope("one", one))' in said.out) == is_named
