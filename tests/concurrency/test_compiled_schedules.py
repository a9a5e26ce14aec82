"""Controlled schedules in compiled code: the sites are the interpreter's, nothing is wrong, and what is wrong in compiled code shows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.differential.cases import CASES, COMPILED_CASES, LATE, SHOWS, case, in_compiled_code
from safepoint.differential.controlled import COMPILED, INSTALLS, INTERPRETED, Case, Ran
from safepoint.differential.follow import difference, judge
from safepoint.differential.schedulers import Exhaustive, Pct, Replay, Scheduler
from safepoint.differential.small import PROGRAMS
from safepoint.guest.code import BACK_EDGES
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.trace.events import Looped
from safepoint.verify.controlled import FURTHER, interpreter, run_case
from safepoint_vm.generate.engine import Variant
from safepoint_vm.generate.parts import handlers_of
from safepoint_vm.generate.triggers import ENTRIES, FUSED_ENTRIES, NUMBERS
from safepoint_vm.language.layout import Record
from safepoint_vm.language.records import FIRST_LOOP, LOOPS
from safepoint_vm.schedules.build import build
from safepoint_vm.schedules.compiled import WORDS, WatchedTier, entry_of
from safepoint_vm.tier.install import Loaded
from safepoint_vm.tier.loops import loops_of
from safepoint_vm.tier.made import alike

FIRST = len(ENTRIES) + len(FUSED_ENTRIES)
"""The first of the text's entries that is one of a back-edge in compiled code."""


def run(made: Case, scheduler: Scheduler | None = None, mutant: str = "") -> Ran:
    return interpreter().control(made, scheduler or Replay({}), mutant)


# -- it is the same guest, with the same sites


@pytest.mark.parametrize("program", ["loop", "calls", "masked", "cleans up", "births", "collects", "asks", "reuses"])
def test_another_may_go_on_before_the_same_instructions_as_in_the_interpreter(program: str) -> None:
    """And between them compiled code executes more than one instruction at a time."""
    interpreted, compiled = (run(case(program, code=code)) for code in (INTERPRETED, COMPILED))
    for ran in (interpreted, compiled):
        assert judge(ran) is None
    before = [[each for each in ran.made if not each.file] for ran in (interpreted, compiled)]
    assert before[0] == before[1] != []
    assert len(compiled.done) < len(interpreted.done)
    assert sum(each.until is not None for each in compiled.done) > len(compiled.done) / 2


@pytest.mark.parametrize("program", ["loop", "births", "collects"])
def test_the_check_of_a_compiled_back_edge_is_one_of_a_word_of_its_own(program: str) -> None:
    """As often as the interpreter looks at the words of its opcodes: at an entry of compiled code, at others nowhere."""
    looped = [
        [event.entry for event in run(case(program, code=code)).events if isinstance(event, Looped)]
        for code in (INTERPRETED, COMPILED)
    ]
    assert len(looped[0]) == len(looped[1]) > 0
    assert {entry < len(BACK_EDGES) for entry in looped[0]} == {True}
    assert {FIRST <= entry < FIRST + WORDS for entry in looped[1]} == {True}


def test_every_schedule_with_a_preemption_of_a_small_case() -> None:
    """As in the interpreter, but for the words that the requester poisons: superinstructions have some, and compiled back-edges."""
    guest = ["CALL", "CALL", "exit_thread"]
    requester = ["pending", "limit", *BACK_EDGES, *FUSED_ENTRIES, *range(WORDS), "wake"]
    row = run_case(case("calls", "SAMPLE", code=COMPILED), most=1000, drawn=0)
    assert (row.wrong, row.finished, row.compiled) == (None, True, True)
    assert row.exhaustive == 2 + len(guest) + len(requester)


def test_a_number_of_the_table_is_a_word_of_the_text_or_none() -> None:
    numbers = {number: entry_of(number, WORDS) for number in range(FIRST_LOOP + LOOPS)}
    assert {number: entry for number, entry in numbers.items() if entry is not None} == {
        FIRST_LOOP + loop: FIRST + loop for loop in range(WORDS)
    }


@pytest.mark.parametrize("hosted", [False, True])
def test_its_templates_are_those_of_an_engine_that_tells_no_host(hosted: bool) -> None:
    """What decides their bytes is the same."""
    hooked = Variant(counting=True, hooked=True, hosted=hosted, loops=WORDS, mutant="compiled-loop-unpoisoned")
    plain = Variant(counting=True, loops=LOOPS)
    assert alike(hooked) == alike(plain)
    assert handlers_of(hooked).switches() == handlers_of(alike(hooked)).switches() == handlers_of(plain).switches()


@pytest.mark.parametrize("program", PROGRAMS)
def test_of_a_small_program_all_is_compiled(program: str) -> None:
    """Each function, and each back-edge has a word of the text."""
    image = build(PROGRAMS[program], program, "", False, FOLDED.name, COMPILED).image
    for code, function in zip(image.program.codes, image._texts, strict=True):
        entries = [entry_of(function[number], WORDS) for number in range(function.words)]
        assert {number for number, entry in enumerate(entries) if entry is not None} == set(loops_of(code))
        assert function[0] & 0xFFFF not in NUMBERS.values()  # of an opcode: it is dispatched as compiled, or by a door


# -- the text as it is


@pytest.mark.parametrize("made", COMPILED_CASES, ids=lambda made: made.name)
def test_nothing_is_wrong(made: Case) -> None:
    row = run_case(made, most=5, drawn=5)
    assert (row.wrong, row.schedules, row.compiled) == (None, 10, True)


@pytest.mark.nightly  # 62 cases, up to 200 schedules each: a minute and a half
@pytest.mark.parametrize("made", in_compiled_code(), ids=lambda made: made.name)
def test_the_same_of_every_case(made: Case) -> None:
    row = run_case(made, most=100, drawn=100)
    assert (row.wrong, row.compiled) == (None, True)


@pytest.mark.parametrize("code", [COMPILED, INSTALLS])
@pytest.mark.parametrize(
    "program", ["sleeper", "one_after_another", "interrupts_itself", "contended", "exception_in_thread"]
)
def test_nothing_is_wrong_with_longer_programs(program: str, code: str) -> None:
    """Some of whose back-edges have no word, and some of whose functions stay with the interpreter."""
    made = case(program, "STOP", "SAMPLE+INTERRUPT", "INTERRUPT/1", code=code)
    for seed in range(3):
        assert judge(run(made, Pct(random.Random(seed), 300, 3))) is None


class Seen(WatchedTier):
    """Counts functions that are compiled while another thread stands in their middle."""

    inside = 0

    def _install(self, loaded: Loaded, records: Sequence[Record], world: Record | None) -> None:
        text = loaded.text
        standing = [text.address < record.get("pc") < text.address + 8 * text.words for record in records]
        Seen.inside += sum(standing) > 1
        super()._install(loaded, records, world)


def test_a_function_is_compiled_also_while_another_thread_is_in_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safepoint_vm.schedules.build.WatchedTier", Seen)
    made = case("collects", "SAMPLE/1", "SAMPLE", code=INSTALLS)
    seed = 0
    while not Seen.inside and seed < 300:
        assert judge(run(made, Pct(random.Random(seed), 300, 3))) is None
        seed += 1
    assert Seen.inside


def test_to_install_code_is_a_stop_that_a_schedule_can_interleave() -> None:
    """The guest thread leaves guest code for what it needs, comes back, stops the world, starts it."""
    ran = run(case("loop", code=INSTALLS))
    accesses = Counter(each.statement.partition("  ")[0] for each in ran.made)
    assert accesses["world.stop.publish(1)"] == accesses["world.stop.store(0)"] == 2  # the module and f
    assert ran.header is None  # so its trace is not judged


# -- what is wrong shows


@pytest.mark.parametrize(
    ("mutant", "code", "by"),
    [
        ("compiled-loop-unpoisoned", COMPILED, "trace"),
        ("compiled-loop-unpoisoned", INSTALLS, "run"),
        ("compiled-loop-jumps-straight", COMPILED, "result"),
        ("compiled-loop-jumps-straight", INSTALLS, "result"),
        ("install-makes-real", INSTALLS, "run"),
    ],
)
def test_a_mistake_of_compiled_code_shows(mutant: str, code: str, by: str) -> None:
    made = case("loop", "SAMPLE", code=code)
    wrongs = (judge(run(made, scheduler, mutant)) for scheduler in Exhaustive(1, 200))
    wrong = next(filter(None, wrongs), None)
    assert wrong is not None
    assert wrong.by == by
    again = CliRunner().invoke(cli, ["replay", "--mutant", mutant, wrong.string])
    assert again.exit_code == 1
    assert f"wrong, by its {by}" in again.output


@pytest.mark.parametrize(
    ("mutant", "made"),
    [
        ("masked-taken", case("masked", "INTERRUPT", "STOP", code=COMPILED)),
        ("coordinator-stays", case("collects", "STOP", code=COMPILED)),
    ],
)
def test_so_does_one_of_the_text(mutant: str, made: Case) -> None:
    assert any(judge(run(made, scheduler, mutant)) for scheduler in Exhaustive(1, 300))


@pytest.mark.nightly  # 2,600 schedules of 15 engines: most of a minute
@pytest.mark.parametrize("mutant", SHOWS)
def test_so_does_each_of_the_text_where_the_interpreter_shows_it(mutant: str) -> None:
    name, preemptions = SHOWS[mutant]
    made = replace(next(each for each in (*CASES, *LATE) if each.name == name), code=COMPILED)
    assert any(judge(run(made, scheduler, mutant)) for scheduler in Exhaustive(preemptions, 2 * FURTHER))


def test_what_was_executed_up_to_another_place_is_found() -> None:
    ran = run(case("loop", code=COMPILED))
    first = ran.done[0]
    assert first.until is not None
    assert difference(ran) == ""
    elsewhere = replace(first, until=(first.until[0], first.until[1] + 1))
    assert "without a check" in difference(replace(ran, done=[elsewhere, *ran.done[1:]]))


@pytest.mark.parametrize(
    ("string", "mutant", "says"),
    [
        ("s:loop|STOP@sc,later:", "", "is no schedule"),
        ("s:loop|STOP@dart,sc,compiled:", "", "compiled code under policy dart: compiled code is stepped"),
        ("s:loop|STOP@unknown,sc,compiled:", "", "no policy 'unknown'"),
        ("s:loop|STOP@sc:", "compiled-loop-unpoisoned", "only in code that is compiled or installs"),
        ("s:loop|STOP@sc:", "compiled-loop-unpoisoned", "(write ,compiled or ,installs behind the memory)"),
        (
            "s:loop|STOP@sc,compiled:",
            "install-makes-real",
            "only in code that is installs (write ,installs in place of",
        ),
        ("s:loop|STOP@wasmtime,tso:5>1", "", "'folded' has no late stores under policy wasmtime: "),
    ],
)
def test_what_cannot_be_run_in_compiled_code_is_said(string: str, mutant: str, says: str) -> None:
    result = CliRunner().invoke(cli, ["replay", string, *(["--mutant", mutant] if mutant else [])])
    assert result.exit_code == 2
    assert says in result.output
    assert mutant or "mutant" not in result.output


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != FOLDED.name])
@pytest.mark.parametrize("code", [COMPILED, INSTALLS])
def test_under_other_policies_it_is_refused(policy: str, code: str) -> None:
    done = CliRunner().invoke(cli, ["replay", f"s:loop|SAMPLE@{policy},sc,{code}:5>1"])
    assert (done.exit_code, f"policy {policy}" in done.output) == (2, True), done.output
