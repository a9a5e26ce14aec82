"""What a custom text is held to: it comes round, what is owed is served, what is claimed of all holds, in the worlds it declares.

The texts of `data/own_texts` are bugs of other VMs, and their mended versions; their verdicts are known from those bugs' reports.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from tests.model.said import Said, explore, own, verdict

DATA = Path(__file__).parent / "data"
TEXTS = DATA / "own_texts"

# ---------------------------------------------------------------------------------------------- other VMs' bugs

REFUTED = [
    ("go_signal.py --scope all-1 --memory sc --mutant preempts-in-atomics", "comes-round",
     "T0 (at go_signal:53: wait(world.token.cas(0, 1))) and scheduler (at go_signal:65: wait(world.spin.cas(0, 1))) never come round again"),
    ("spin_loop.py --scope small --mutant no-poll-in-spin", "comes-round", "T1 (at spin_loop:32: t.at_barrier.store(1)) and collector (at spin_loop:76: t.limit.store(t.limit.poison)) never come round"),
    ("spin_loop.py --mutant no-poll-in-spin", "comes-round", "scope collector-2"),  # without a scope: two threads
    ("lost.py --scope small --mutant take-first", "owed-is-served", "if INTERRUPT is not posted to T0 again, INTERRUPT, posted to T0, is never served"),
    ("go1.py --scope coordinator-1 --memory sc --mutant no-check-in-loops", "comes-round", "T0 (at go1:49: wait(sched.lock.load() == 2)) and coordinator"),
    ("watchdog.py --mutant not-armed-again", "no-deadlock", ""),
    ("watchdog.py --mutant not-restored", "no-deadlock", ""),
    # an embedder whose script has no timer waits for ever: but no user meant that world, and one who names it means it
    ("watchdog.py --scope embedder-1", "no-deadlock", ""),
    # the backup thread acts on a word that it looked at before it got the domain's lock; runtime/domain.c looks again behind it
    ("ocaml4.py --scope backup-2", "no-deadlock", "wait(t.domain_lock.cas(1, 0))"),
    # and its one thread waits for another domain (N = 1), which that world has not
    ("ocaml4.py --scope backup-1", "comes-round", "T0 (at ocaml4:105: t.leads.swap(1)) never comes round"),
]  # fmt: skip

HOLD = [
    "go_signal.py --scope small",
    "spin_loop.py --scope small",
    "lost.py --scope small",
    "lost.py --memory tso",
    "go1.py --scope coordinator-1",
    "lost_once.py --scope small",
    "lost_once.py --scope small --memory tso",
    "ocaml4_mended.py",
    "watchdog.py --scope small",
    "watchdog.py --scope all-1",
]


def command(words: str) -> Said:
    file, *args = shlex.split(words)
    return explore(TEXTS / file, *args)


@pytest.mark.parametrize(("words", "broken", "told"), REFUTED, ids=[words for words, _, _ in REFUTED])
def test_a_bug_of_another_vm_is_refuted_and_walked_again(words: str, broken: str, told: str) -> None:
    said = command(words)
    assert said.broken == broken
    assert told in said.out
    again = shlex.split(said.out.strip().splitlines()[-1].removeprefix("again: safepoint "))
    walked = CliRunner().invoke(cli, again)
    assert walked.exit_code == 1
    assert walked.output.strip() in said.out


@pytest.mark.parametrize("words", HOLD)
def test_what_is_right_holds(words: str) -> None:
    assert command(words).broken == ""


@pytest.mark.parametrize("words", [words for words, _, _ in REFUTED] + HOLD)
def test_both_engines_say_the_same(words: str) -> None:
    pytest.importorskip("numpy")
    python, numpy = (command(f"{words} --engine {engine} --json") for engine in ("python", "numpy"))
    assert python.code == numpy.code
    found = [json.loads(said.out) for said in (python, numpy)]
    for each in found:
        for row in each["protocol"]:
            del row["seconds"]
    assert found[0] == found[1]


def test_json_says_what_is_never_reached_and_by_whom() -> None:
    refuted = json.loads(command(f"{REFUTED[0][0]} --json").out)["refuted"]
    assert refuted["property"] == "comes-round"
    assert REFUTED[0][2] in refuted["detail"]
    assert refuted["replay"].startswith("m:all-1/preempts-in-atomics/")


# ---------------------------------------------------------------------------------------------- coming round

QUIET = """
def mutator(t: Me) -> None:
    match choose():
        case "computes":
            pause()
        case "loops":
            pause()
            {wait}
    return mutator(t)


def asker() -> None:
    wait(world.lock.cas(1, 0))
    for t in threads():
        t.flag.store(1)
    return asker()
"""


@pytest.mark.parametrize(
    ("wait", "broken"),
    [
        ("wait(t.flag.load() == 1)", "no-deadlock"),
        ("rest(t.flag.load() == 1)", ""),
        ("wait(t.limit.load() == t.limit.poison)", ""),  # an endless loop of guest code
        ("wait(t.limit.load() != t.limit.poison)", ""),  # goes on at once
        ("rest()", ""),
    ],
)
def test_a_quiet_world_is_no_deadlock(wait: str, broken: str, tmp_path: Path) -> None:
    """No role opens the lock: so none sets the flag."""
    assert verdict(tmp_path, QUIET.format(wait=wait)) == broken


DEAD_END = """
def mutator(t: Me) -> None:
    t.flag.store(1)
    return ends(t)


def ends(t: Me) -> None:
    {acts}
    return ends(t)


def asker() -> None:
    world.lock.load()
    return asker()
"""


@pytest.mark.parametrize(
    ("acts", "broken"),
    [
        ("t.flag.load()", "comes-round"),  # looks for ever, at what no role changes
        ("pause()", "comes-round"),
        ("rest()", ""),
        ("t.flag.store(0)", ""),  # its loop, behind a beginning
        ("claim('c', t.flag.load() == 1)", "2"),
    ],
)
def test_a_loop_that_is_never_left_is_round_only_if_it_does_something(acts: str, broken: str, tmp_path: Path) -> None:
    said = own(tmp_path, DEAD_END.format(acts=acts))
    assert (str(said.code) if said.code == 2 else said.broken) == broken


FORGOTTEN = """
def mutator(t: Me) -> None:
    wait(t.flag.load() == 1)
    t.flag.store(0)
    if mutant("forgets", breaks="ANSWERS"):
        return mutator(t)
    t.pending.store(1)
    return mutator(t)


def asker() -> None:
    t = choose(threads())
    t.flag.store(1)
    wait(t.pending.load() == {answer})
    t.pending.store(0)
    return asker()
"""


def test_a_wait_that_nothing_ends_is_silence_and_is_said(tmp_path: Path) -> None:
    said = own(tmp_path, FORGOTTEN.format(answer=2))
    assert said.broken == ""
    told = " ".join(said.out.split())
    assert "left out: silence: mine.py:" in told
    assert "asker falls silent: nothing here ends wait(t.pending.load() == 2) (if that is meant, write: rest())" in told


def test_what_a_mutant_takes_away_is_no_silence(tmp_path: Path) -> None:
    assert verdict(tmp_path, FORGOTTEN.format(answer=1)) == ""
    assert verdict(tmp_path, FORGOTTEN.format(answer=1), "--mutant", "forgets") == "no-deadlock"


COUNTED = """
def mutator(t: Me) -> None:
    n = world.stop.load()
    world.stop.cas(n, n + 1 & 3)
    return mutator(t)


def asker() -> None:
    pause()
    wait(world.stop.load() == {n})
    wait(world.lock.load() == 1)
    return asker()
"""


@pytest.mark.parametrize("n", [2, 3])
def test_a_wait_for_what_is_counted_up_is_no_silence(n: int, tmp_path: Path) -> None:
    """The mask of what is stored is 1, and the word comes to 3: the asker falls silent at its second wait, and not before."""
    said = own(tmp_path, COUNTED.format(n=n), "--json")
    assert said.code == 0
    assert json.loads(said.out)["left_out"]["silence"].count("asker falls silent") == 1
    assert "wait(world.lock.load() == 1)" in json.loads(said.out)["left_out"]["silence"]


# ---------------------------------------------------------------------------------------------- cases that wait


def without_pause(tmp_path: Path) -> Path:
    file = tmp_path / "own_vm.py"
    text = (DATA / "own_vm.py").read_text(encoding="utf-8")
    assert text.count("            pause()\n") == 1
    file.write_text(text.replace("            pause()\n", ""), encoding="utf-8")
    return file


def test_a_case_that_begins_with_a_wait_is_said(tmp_path: Path) -> None:
    said = " ".join(explore(without_pause(tmp_path)).out.split())
    assert (
        'own_vm.py:31: the case "loops" is chosen only where its wait(t.table.load() == t.table.poison) is over' in said
    )
    assert "(write pause() before it, if a thread may be held there)" in said
    assert "cases" not in json.loads(explore(DATA / "own_vm.py", "--json").out)["left_out"]


@pytest.mark.parametrize("mutant", ["patch-first", "unpatch-unlocked"])
def test_what_such_a_case_hid_is_found(mutant: str, tmp_path: Path) -> None:
    assert explore(without_pause(tmp_path), "--mutant", mutant).broken == "comes-round"


def test_where_each_case_waits_the_first_is_taken() -> None:
    assert "cases" not in json.loads(command("spin_loop.py --scope small --json").out)["left_out"]


def test_how_many_threads_were_tried_is_said() -> None:
    def left_out(words: str) -> str:
        return str(json.loads(command(f"{words} --json").out)["left_out"].get("threads"))

    assert left_out("lost.py") == "explored with at most 1: 2 may show more (write: --scope small)"
    assert (
        left_out("lost_once.py --mutant take-first")
        == "explored with at most 2: 3 may show more (write: --scope nightly)"
    )
    assert left_out("ocaml4_mended.py") == "None"  # it declares a world of two


# ---------------------------------------------------------------------------------------------- what a verdict says nothing of

SILENT = """
def mutator(t: Me) -> None:
    pause()
    {mutant}wait(t.flag.cas(1, 0))
    return mutator(t)


def sender() -> None:
    t = choose(threads())
    match choose():
        case "silent":
            {silent}
        case "sends":
            t.flag.store(1)
    return sender()
"""


@pytest.mark.parametrize(
    ("silent", "broken"),
    [
        ("rest()", "no-deadlock"),  # a case that begins with it commits itself
        ("pause()\n            rest()", "no-deadlock"),
        ("rest(t.flag.load() == 1)", "no-deadlock"),
        ("rest(t.flag.load() == 0)", ""),  # that comes true, so it comes back
        ("pause()", ""),
    ],
)
def test_a_role_that_chooses_to_rest_rests(silent: str, broken: str, tmp_path: Path) -> None:
    assert verdict(tmp_path, SILENT.format(silent=silent, mutant="")) == broken


def test_a_mutant_of_a_text_that_is_refuted_without_it_has_no_verdict(tmp_path: Path) -> None:
    harmless = 'if mutant("harmless", breaks="NOTHING"):\n        pause()\n    '
    for silent, code in (("rest()", 2), ("pause()", 0)):
        said = own(tmp_path, SILENT.format(silent=silent, mutant=harmless), "--memory", "sc", "--mutant", "harmless")
        assert said.code == code
        assert ("the text is refuted in scope sender-1 without it, too" in said.err) == (code == 2)
