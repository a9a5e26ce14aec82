"""What `bench.pairs` counts, on a program whose instructions are counted by hand."""

from __future__ import annotations

import pytest

from bench import pairs
from bench.counting import count
from safepoint.guest.compiler.program import compile_program
from tests.impl.building import code, program

LOOP = program(
    code("<module>", 2, ("LOADK", 0, 0), ("LOADK", 1, 3), ("ADDI", 0, 0, 1), ("LESS_JUMP_BACK", 0, 1, -2), ("HALT",))
)
"""Three turns."""


def test_each_instruction_is_counted_once_and_a_jump_ends_a_sequence() -> None:
    found = count(LOOP, 1000)
    assert found.instructions == 2 + 3 * 2 + 1
    assert {run: n for run, n in found.runs.items() if len(run) == 2} == {
        ("LOADK", "LOADK"): 1,
        ("LOADK", "ADDI"): 1,
        ("ADDI", "LESS_JUMP_BACK"): 3,
        ("LESS_JUMP_BACK", "HALT"): 1,
    }
    assert found.runs["LOADK", "ADDI", "LESS_JUMP_BACK"] == 1, "only in the first turn"
    assert found.dispatched == {"ADDI_and_LESS_JUMP_BACK": 3}
    assert found.fused["ADDI", "LESS_JUMP_BACK"] == 3
    assert found.fused["LOADK", "ADDI"] == found.fused["LESS_JUMP_BACK", "HALT"] == 0


def test_counting_ends_where_it_is_told_to() -> None:
    endless = compile_program("while True:\n    pass\n", "endless")
    assert count(endless, 50).instructions == 50


def test_all_threads_are_counted_and_what_waits_for_ever_ends_it() -> None:
    threads = "from threading import Thread\ndef f():\n    x = 1\n    y = x * 2\n{}\nprint(1)\n"
    with_two = "a = Thread(target=f)\nb = Thread(target=f)\na.start()\nb.start()\na.join()\nb.join()"
    found, without = (count(compile_program(threads.format(more), "threads"), 10_000) for more in (with_two, ""))
    assert found.instructions > without.instructions
    assert found.runs["LOADK", "MUL"] + found.runs["LOADK", "LOADK"] >= 2
    locked = "from threading import Lock\nlock = Lock()\nlock.acquire()\nlock.acquire()\n"
    assert 0 < count(compile_program(locked, "locked"), 10_000).instructions < 50


def test_a_share_is_a_mean_over_programs_not_over_instructions() -> None:
    one, other = count(LOOP, 1000), count(LOOP, 2)
    share = pairs.Share.of({"long": one}, {"short": other}, lambda found: found.runs["LOADK", "LOADK"])
    assert share.bench == pytest.approx(100 / 9)
    assert share.corpus == share.most == pytest.approx(50)
    assert share.where == "short"


def test_the_command_names_what_is_common_and_what_is_rare(capsys: pytest.CaptureFixture[str]) -> None:
    assert pairs.main(["--most", "500", "while", "gcd"]) == 0
    said = capsys.readouterr().out
    assert "1 programs of the bench and 1 of tests/programs" in said
    assert "ADD + ADDI + LESS_JUMP_BACK" in said
    assert "IS + TRUE_JUMP" in said.partition("Under 0.1 % in every program: ")[2]
    for wrong, why in ((["nothing"], "no such program: nothing"), (["--most", "0"], "--most is at least 1")):
        with pytest.raises(SystemExit) as ended:
            pairs.main(wrong)
        assert ended.value.code == 2
        assert why in capsys.readouterr().err
