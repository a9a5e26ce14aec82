"""Compiled code whose back-edges are patched: every request of any thread reaches it, and the jumps are put back."""

from __future__ import annotations

import io

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.differential.corpus import Guest, corpus
from safepoint.guest.code import BACK_EDGES
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import PATCHED
from safepoint.protocol.words import SAMPLE
from safepoint_vm.generate.engine import PLAIN, Variant
from safepoint_vm.language.records import JUMPS, SERVED
from safepoint_vm.threads.vm import Vm
from safepoint_vm.tier.install import IDLE, compiling
from safepoint_vm.tier.stitch import JUMP_OVER
from tests.impl.asking import lost
from tests.impl.compiling import Compiling, begun, said
from tests.impl.waiting import NEVER, SOON, soon

GUESTS = [guest for guest in corpus() if guest.alone]
LOOPS = {
    "loops": "while True:\n    pass\n",
    "two loops": "x = 0\nwhile True:\n    for i in range(100):\n        x = i\n",
    "calls": "def f(n):\n    if n > 0:\n        return f(n - 1)\n    return n\nwhile True:\n    f(5)\n",
}


def compiled(source: str, mutant: str = "") -> Vm:
    variant = compiling(Variant(policy=PATCHED, mutant=mutant))
    return Compiling(compile_program(source, "guest.py"), io.StringIO(), variant=variant)


@pytest.mark.parametrize("guest", GUESTS, ids=[guest.name for guest in GUESTS])
def test_a_program_says_what_the_interpreter_says(guest: Guest) -> None:
    assert said(guest, Compiling, compiling(Variant(policy=PATCHED))) == said(guest, Vm, PLAIN)


@pytest.mark.parametrize("name", LOOPS)
def test_no_request_is_lost(name: str) -> None:
    assert lost(lambda: compiled(LOOPS[name]), stops=True) == []


@pytest.mark.parametrize("mutant", ["", "code-forgotten"])
def test_a_lost_request_is_noticed(mutant: str) -> None:
    """Where the jump is not overwritten, a loop that is compiled sees nothing: the same test as without the mutant."""
    with compiled(LOOPS["loops"], mutant) as vm:
        assert isinstance(vm, Compiling)
        guest = vm.start().guest
        assert soon(lambda: any(word[0] != poison for word, poison in vm.tier._jumps.values()))
        vm.world.post(guest, SAMPLE)
        is_served = soon(lambda: guest.record.get("served", SERVED[SAMPLE]) == 1, NEVER if mutant else SOON)
        assert is_served == (mutant == "")


def test_a_jump_is_overwritten_and_put_back() -> None:
    """When the thread that has been asked has come by; another thread, which was not, comes by for nothing."""
    source = "def loops(n):\n    while True:\n        pass\nt = Thread(target=loops, args=(1,))\nt.start()\nloops(0)\n"
    with begun(source, policy=PATCHED) as (vm, _):
        words = vm.tier._jumps
        assert soon(lambda: len(words) > 0 and len(vm.world.threads) == 2)
        loop, (word, poison) = next(iter(words.items()))
        real = vm.world.record.get("code_real", loop)
        assert real == int.from_bytes(JUMP_OVER, "little")
        assert soon(lambda: word[0] == real)
        one, other = vm.world.threads
        before = [thread.record.get("slow_entries") for thread in (one, other)]
        vm._engine.procedure("poison", one.address)
        assert soon(lambda: word[0] == real and one.record.get("slow_entries") > before[0])
        assert poison not in (real, IDLE)
        vm.running[0].stop()
        vm.world.post(other, SAMPLE)


def test_beyond_its_words_a_back_edge_stays_with_the_interpreter() -> None:
    loops = "".join("    for i in range(3):\n        t += i\n" for _ in range(JUMPS + 3))
    with begun(f"def f():\n    t = 0\n{loops}    return t\nprint(f(), f())\n", policy=PATCHED) as (vm, program):
        assert program.wait().output == f"{3 * (JUMPS + 3)} {3 * (JUMPS + 3)}\n"
        assert len(vm.tier._jumps) == JUMPS


def test_where_nothing_is_compiled_there_is_a_word_that_nothing_executes() -> None:
    with begun("print(1)\n", 100, policy=PATCHED) as (vm, program):
        program.wait()
        record = vm.world.record
        assert {record.get("code", number) for number in range(JUMPS)} == {record.at("idle")}
        assert record.get("idle") == record.get("code_real")
        assert BACK_EDGES


@pytest.mark.parametrize(
    "string",
    ["s:calls_only@0NOTHING", "s:loops_only@9INTERRUPT", "s:gcd@9STOP", "s:missing_name@3INTERRUPT+18INTERRUPT"],
)
def test_in_lockstep_the_interpreter_agrees_with_the_reference_machine(string: str) -> None:
    """Also in the word of code, which is there although nothing is compiled; the last leaves a claim in it."""
    result = CliRunner().invoke(cli, ["replay", "-p", "patched", string])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "both machines agree" in result.stdout
