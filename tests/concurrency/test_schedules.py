"""Controlled schedules: the schedulers by themselves, the text as it is, mutants, and what `replay` does."""

from __future__ import annotations

import io
import random
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import find, given, settings
from hypothesis import strategies as st

from safepoint.cli.main import cli
from safepoint.conform.target import NotOffered
from safepoint.differential.cases import CASES, LATE, case, parsed
from safepoint.differential.controlled import (
    COMPILED,
    INSTALLS,
    INTERPRETED,
    Case,
    Ran,
    is_controlled,
    parse,
    string_of,
)
from safepoint.differential.follow import difference, judge, refusal
from safepoint.differential.schedulers import Drawn, Exhaustive, Pct, Replay, Scheduler, pct_bound
from safepoint.differential.small import PROGRAMS
from safepoint.guest.code import BACK_EDGES
from safepoint.protocol.policies import POLICIES
from safepoint.trace.files import write_trace
from safepoint.trace.verdict import judge as judge_trace
from safepoint.verify.controlled import TWICE, caught, interpreter, run_case, shortest

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), max_size=4, unique_by=lambda pair: pair[0])


def run(made: Case, scheduler: Scheduler | None = None, mutant: str = "") -> Ran:
    return interpreter().control(made, scheduler or Replay({}), mutant)


# -- schedulers, on threads that do nothing


@dataclass
class Toy:
    """Threads with n steps each; the order in which a scheduler lets them make these."""

    steps: Sequence[int]

    def order(self, scheduler: Scheduler) -> tuple[int, ...]:
        left, order, current = [*self.steps], list[int](), -1
        for point in range(sum(left)):
            able = [n for n, steps in enumerate(left) if steps]
            goes_on = current in able
            default = current if goes_on else able[0]
            current = scheduler.choose(point, able, default, preempts=goes_on)
            left[current] -= 1
            order.append(current)
        return tuple(order)


@pytest.mark.parametrize(
    ("preemptions", "schedules"),
    [
        (0, 2),  # one after the other
        (1, 2 + 2 * 3),  # either is preempted once, after 1, 2 or 3 of its 4 steps
        (8, 70),  # all orders: 8 over 4
    ],
)
def test_the_exhaustive_search_runs_every_order_once(preemptions: int, schedules: int) -> None:
    toy, search = Toy((4, 4)), Exhaustive(preemptions, most=1000)
    orders = [toy.order(scheduler) for scheduler in search]
    assert len(orders) == len(set(orders)) == schedules == search.runs
    assert search.finished


def test_an_exhaustive_search_that_is_cut_off_says_so() -> None:
    search = Exhaustive(8, most=69)
    assert len([Toy((4, 4)).order(scheduler) for scheduler in search]) == 69
    assert not search.finished


def test_random_priorities_find_an_order_at_least_as_often_as_they_say() -> None:
    """One order of 2 events decides: the last step of thread 2 before the first of thread 0 (a mistake of depth 1)."""
    rng, toy, runs = random.Random(7), Toy((5, 5, 5)), 400
    orders = [toy.order(Pct(rng, 15, 1)) for _ in range(runs)]
    found = sum(order.index(0) > 14 - order[::-1].index(2) for order in orders)
    assert pct_bound(3, 15, 1) == pytest.approx(1 / 3)
    assert found >= runs * pct_bound(3, 15, 1)


@given(PAIRS, st.sampled_from([*POLICIES]), st.sampled_from([INTERPRETED, COMPILED, INSTALLS]))
def test_a_schedule_as_a_string_says_it_all(pairs: list[tuple[int, int]], policy: str, code: str) -> None:
    choices = tuple((point, which if n % 2 else -1 - which) for n, (point, which) in enumerate(pairs))
    made = case("loop", "STOP+INTERRUPT/1", "HANDSHAKE", late=True, policy=policy, code=code)
    assert parse(string_of(made, choices)) == ("loop", made.requesters, True, policy, code, choices)
    assert made.name.count(",") == (policy != "folded") + (code != INTERPRETED)


# -- the text as it is


@pytest.mark.parametrize("made", [*CASES, *LATE], ids=lambda made: made.name)
def test_nothing_is_wrong(made: Case) -> None:
    row = run_case(made, most=10, drawn=10)
    assert row.wrong is None
    assert row.schedules == 20


@pytest.mark.parametrize(
    "program", ["sleeper", "one_after_another", "interrupts_itself", "contended", "exception_in_thread"]
)
def test_nothing_is_wrong_with_longer_programs(program: str) -> None:
    """Threads that sleep, that wait for a lock and for each other, and are interrupted meanwhile."""
    made = case(program, "STOP", "SAMPLE+INTERRUPT", "INTERRUPT/1")
    for seed in range(8):
        assert judge(run(made, Pct(random.Random(seed), 300, 3))) is None


@settings(max_examples=60)
@given(st.sampled_from(CASES), PAIRS)
def test_nothing_is_wrong_on_drawn_schedules(made: Case, pairs: list[tuple[int, int]]) -> None:
    assert judge(run(made, Drawn(pairs))) is None


def test_every_schedule_with_a_preemption_of_a_small_case() -> None:
    """Either begins, and is preempted nowhere, or at one of its places; then the other runs to its end."""
    guest = ["CALL", "CALL", "exit_thread"]
    requester = ["pending", "limit", *(f"entry {name}" for name in BACK_EDGES), "wake"]
    row = run_case(case("calls", "SAMPLE"), most=1000, drawn=0)
    assert (row.wrong, row.finished) == (None, True)
    assert row.exhaustive == 2 + len(guest) + len(requester)


FEW = 500
"""Schedules of a case that is run here; the others are nightly."""


def all_of_two(name: str) -> None:
    made = next(each for each in (*CASES, *LATE) if each.name == name)
    row = run_case(made, 2 * TWICE[name], 0, preemptions=2)
    assert (row.wrong, row.finished, row.schedules) == (None, True, TWICE[name])


@pytest.mark.parametrize("name", [name for name, count in TWICE.items() if count < FEW])
def test_nothing_is_wrong_on_any_schedule_with_two_preemptions(name: str) -> None:
    all_of_two(name)


@pytest.mark.nightly  # 35,000 schedules: two minutes
@pytest.mark.parametrize("name", [name for name, count in TWICE.items() if count >= FEW])
def test_the_same_of_larger_cases(name: str) -> None:
    all_of_two(name)


def test_what_two_preemptions_alone_show_is_found() -> None:
    """So that to run all of them shows something: with one nothing is wrong."""
    made, mutant = parsed("s:asleep|HANDSHAKE+INTERRUPT@sc:")[0], "handshake-unchecked"
    one, two = (Exhaustive(most, 2 * TWICE[made.name]) for most in (1, 2))
    assert not any(judge(run(made, s, mutant)) for s in one)
    assert one.finished
    assert any(judge(run(made, s, mutant)) for s in two)


def test_a_schedule_repeats_itself() -> None:
    made = case("collects", "STOP", "HANDSHAKE/1")
    first = run(made, Pct(random.Random(3), 200, 4))
    again = run(made, Replay(dict(first.choices)))
    assert first.choices
    assert (again.choices, again.made, again.events) == (first.choices, first.made, first.events)


def test_its_trace_is_one_that_accept_accepts() -> None:
    ran = run(case("loop", "STOP", "HANDSHAKE"), Pct(random.Random(1), 70, 3))
    file = io.BytesIO()
    assert ran.header is not None
    write_trace(file, ran.header, ran.events)
    file.seek(0)
    verdict = judge_trace(file, "a run")
    assert verdict.refusal is None
    assert verdict.counts["stop-reached"] == verdict.counts["handshake-run"] == 1
    assert verdict.not_judged == {}


# -- what is wrong is found


def test_a_trace_that_was_changed_is_refused() -> None:
    ran = run(case("calls", "INTERRUPT"), Replay({0: 1}))
    took = next(n for n, event in enumerate(ran.events) if event.__struct_config__.tag == "took")
    changed = replace(ran, events=ran.events[:took] + ran.events[took + 1 :])
    assert refusal(ran) == ""
    assert "refused" in refusal(changed)


def test_another_result_than_the_reference_machine_s_is_found() -> None:
    ran = run(case("loop", "INTERRUPT"), Replay({0: 1}))
    assert ran.observation is not None
    assert difference(ran) == ""
    assert "output: reference" in difference(replace(ran, observation=replace(ran.observation, output="3\n")))
    unseen = [done for done in ran.done if not done.seen]
    assert len(unseen) == len(ran.done) - 1
    assert difference(replace(ran, done=unseen)) != ""


def test_who_cannot_go_on_is_named() -> None:
    assert run(case("asleep")).wrong == "no actor can go on: T0 at ACQUIRE"


MUTANTS = [
    ("unlocked-post", case("calls", "INTERRUPT", "STOP"), 1, "trace"),
    ("looks-too-early", case("asleep", "INTERRUPT"), 1, "run"),
    ("masked-taken", case("masked", "INTERRUPT"), 1, "trace"),
    ("handshake-unchecked", case("asleep", "HANDSHAKE+INTERRUPT"), 2, "trace"),
    ("backs-off-silently", case("asleep", "HANDSHAKE+INTERRUPT"), 1, "trace"),
    ("birth-drops-handshake", case("asks", "INTERRUPT/1"), 1, "trace"),
    ("coordinator-stays", case("collects"), 1, "run"),
    ("terminate-again", case("cleans up", "TERMINATE", "TERMINATE"), 1, "result"),
    ("reenter-unfenced", case("prints", "STOP", late=True), 1, "run"),
    ("block-unfenced", case("asleep", "INTERRUPT", late=True), 1, "run"),
]


@pytest.mark.parametrize(("mutant", "made", "preemptions", "by"), MUTANTS, ids=str)
def test_a_mutant_is_caught(mutant: str, made: Case, preemptions: int, by: str) -> None:
    found = next(filter(None, (judge(run(made, s, mutant)) for s in Exhaustive(preemptions, 3000))), None)
    assert found is not None
    assert found.by == by


@pytest.mark.parametrize(
    ("mutant", "what"),
    [
        ("does-not-wait", "T0 runs guest code while the world is stopped"),
        ("handshake-unclaimed", "an operation is run twice"),
        ("handshake-not-awaited", "T1 runs guest code while a requester runs an operation for it"),
    ],
)
def test_what_may_never_be_is_seen_by_the_run_itself(mutant: str, what: str) -> None:
    wrong, count = caught(mutant)
    assert wrong is not None
    assert (wrong.by, wrong.what) == ("run", what)
    assert count < 500


@pytest.mark.parametrize(("mutant", "made"), [(m, replace(c, late=False)) for m, c, _, _ in MUTANTS[-2:]])
def test_a_missing_fence_shows_only_where_stores_are_late(mutant: str, made: Case) -> None:
    search = Exhaustive(1, 400)
    assert not any(judge(run(made, scheduler, mutant)) for scheduler in search)


def test_hypothesis_shrinks_to_the_schedule_that_matters() -> None:
    """The requester is preempted nowhere, the guest once: between its look and its sleep."""
    made = case("asleep", "INTERRUPT")

    def fails(pairs: list[tuple[int, int]]) -> bool:
        return judge(run(made, Drawn(pairs), "looks-too-early")) is not None

    shrunk = find(PAIRS, fails, random=random.Random(5), settings=settings(max_examples=2000, database=None))
    assert len(shrunk) == 1
    wrong = judge(run(made, Drawn(shrunk), "looks-too-early"))
    assert wrong is not None
    longer = run(made, Drawn([*shrunk, (1, 0), (2, 0)]), "looks-too-early")
    assert len(parse(shortest(made, longer.choices, wrong, "looks-too-early").string)[-1]) == 1


def test_what_is_not_compiled_is_not_compiled() -> None:
    assert interpreter().compiles("reenter-unfenced")
    assert not interpreter().compiles("stop-without-fence")  # of a variant of the core
    with pytest.raises(NotOffered, match="post waits"):
        run(case("calls"), None, "post-waits-its-turn")


# -- the command


def replay(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["replay", *arguments])
    return result.exit_code, result.output


def test_replay_runs_it_again_and_shows_each_access() -> None:
    status, output = replay("s:calls|STOP@sc:0>1,10>0")
    assert status == 0
    assert "R1  requester.py" in output
    assert "t.state.store(PARKED)" in output
    assert output.endswith("nothing is wrong\n")


def test_replay_of_a_mutant_says_what_is_wrong() -> None:
    made = case("asleep", "INTERRUPT")
    wrong = next(filter(None, (judge(run(made, s, "looks-too-early")) for s in Exhaustive(1, 300))))
    status, output = replay("--mutant", "looks-too-early", wrong.string)
    assert status == 1
    assert "wrong, by its run: no actor can go on: T0 at ACQUIRE" in output


def test_the_page_shows_what_replay_prints() -> None:
    page = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    safepoint replay (.*)$", page, re.MULTILINE)
    outputs = [replay(*shlex.split(command))[1] for command in commands]
    shown = [line.strip() for line in re.findall(r"^    ((?:[TR]\d|asleep)[ |].*)$", page, re.MULTILINE)]
    lost_wake, lost_poison = shown[:9], shown[9:]
    assert [line for line in map(str.strip, outputs[1].splitlines()) if line in lost_wake][-8:] == lost_wake[1:]
    assert list(map(str.strip, outputs[2].splitlines()))[: len(lost_poison)] == lost_poison
    assert len(lost_poison) == 9
    assert outputs[2].endswith("choice points: nothing is wrong\n")
    assert "\n  EXPIRED-IS-SEEN: " in outputs[3]
    assert outputs[4].endswith("choice points: nothing is wrong\n")
    refused = re.search(
        r"wrong, by its trace: refused: trace:\d+: T0: looped 15: no run of the protocol explains it\n"
        r"  POISON-EVERY-WORD: .*\n(  possible instead: .*\n)+  safepoint rules POISON-EVERY-WORD\n\Z",
        outputs[5],
    )
    assert refused is not None
    assert "T0                         compiled code: installed\n" in outputs[6]
    assert outputs[6].endswith("wrong, by its run: T0 passes LESS_JUMP_BACK with SAMPLE pending\n")


@pytest.mark.parametrize(
    ("string", "says"),
    [
        ("s:nothing|STOP@sc:", "no program 'nothing'"),
        ("s:calls|STOPS@sc:", "'STOPS' is no request"),
        ("s:calls|STOP@safest,sc:", "no policy 'safest' (there are: folded, dart"),
        ("s:calls|STOP@sc:1>9", "a choice of it cannot be made"),
        ("s:calls|STOP@sc:1>", "'1>' is no choice"),
        ("s:calls|STOP@sc:\u0661>1", "'\u0661>1' is no choice"),
        ("s:calls|STOP@sc:1>1,", "'1>1,': a comma stands beside no choice (leave the comma out"),
        ("s:calls|STOP@sc:1>1,,2>0", "a comma stands beside no choice"),
        ("s:calls|STOP@sc:1>1,1>0", "'1>0': choice point 1 has a choice already (leave one"),
        ("s:calls|STOP@sc:1>9", "1>9, where one of these goes on: 0, 1 (copy it whole"),
        (
            "s:calls|STOP@sc:1>1,500>1",
            "a choice of it cannot be made in this run: 500>1, for its choice points are 0 to ",
        ),
        ("s:calls|STOP/1@sc:", "'STOP/1' is no request"),
        ("s:calls|SAMPLE/7@sc:", "no guest thread is ever asked for SAMPLE/7: the run has 1, number 0 (write one"),
        ("s:births|STOP|INTERRUPT/9@sc:", "INTERRUPT/9: the run has 3, numbered from 0 to 2 (write one"),
        ("s:calls|STOP@compiled:", "@compiled has no memory: write sc or tso"),
        ("s:calls|STOP@patched:1>1", "@patched has no memory: write sc or tso"),
        ("s:calls|STOP@sc,compild:1>1", "'compild' is no code: write compiled, installs"),
        ("s:calls|STOP@dart,go,sc:1>1", "@dart,go,sc has too many parts: write @POLICY,MEMORY,CODE"),
        ("s:calls|STOP@sc,compiled", "no schedule: write PROGRAM|REQUESTS@MEMORY: and, behind the colon"),
        ("s:calls@compild:1>1", "(it looks like s:loop|STOP@sc:17>1"),
    ],
)
def test_a_string_that_cannot_be_replayed(string: str, says: str) -> None:
    """One line says what is wrong; where the whole is no schedule, what one of this kind looks like."""
    status, output = replay(string)
    assert (status, output.count("\n")) == (2, 1)
    assert says in output
    assert "is no schedule" not in output or "(it looks like s:loop|STOP@sc:17>1" in output


def test_the_number_of_a_thread_that_begins_late_may_be_asked_for() -> None:
    status, output = replay("s:births|INTERRUPT/2@sc:")
    assert (status, output.splitlines()[-1].endswith("nothing is wrong")) == (0, True)


def test_a_choice_that_a_wrong_run_does_not_come_to_is_no_matter() -> None:
    """It has ended before: a thread that is asked for may not have begun, either."""
    status, output = replay("--mutant", "looks-too-early", "s:asleep|INTERRUPT|SAMPLE/1@sc:4>1,500>1")
    assert status == 1
    assert "wrong, by its run: no actor can go on: T0 at ACQUIRE" in output


@pytest.mark.parametrize("string", ["s:fib@3STOP", "s:a|b@17STOP+3INTERRUPT", "s:fib", "m:x", "f:x"])
def test_a_schedule_of_a_step_is_not_taken_for_one_of_these(string: str) -> None:
    assert not is_controlled(string)


def test_programs_with_threads_name_them_once_each() -> None:
    """But for the one in which two live at once beside the first, and a third begins in the record of one of these."""
    assert {name for name, source in PROGRAMS.items() if source.count("Thread(") > 1} == {"reuses"}


def test_a_record_that_is_used_again_while_it_is_asked_of_is_refused() -> None:
    """Where the requester is preempted in its handshake, the target ends, and the next thread begins."""
    made = case("reuses")
    assert judge(run(made, Replay({28: 1, 63: 2}))) is None
    wrong = judge(run(made, Replay({28: 1, 63: 2}), "target-not-kept"))
    assert wrong is not None
    assert wrong.what == "a thread begins in record 1, of which another actor is asking something"
