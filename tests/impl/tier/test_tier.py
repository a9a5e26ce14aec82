"""Compiled code on OS threads: what it prints, when it comes into use, and that requests reach it wherever it runs."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from safepoint.differential.corpus import Guest, corpus
from safepoint.guest.code import BACK_EDGES
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.words import INTERRUPT
from safepoint_vm.generate.engine import PLAIN
from safepoint_vm.generate.triggers import COMPILED, LOOP_ENTRIES, NUMBERS, WARM
from safepoint_vm.language.records import FIRST_LOOP, LOOPS
from safepoint_vm.threads.session import Session
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm
from safepoint_vm.tier.install import NUMBER_MASK, compiling
from safepoint_vm.tier.loops import bodies_of, counting
from tests.impl.compiling import Compiling, begun, said
from tests.impl.running import FILE, LONG
from tests.impl.waiting import soon

COMPILES = compiling(PLAIN)
GUESTS = [guest for guest in corpus() if guest.alone]


@pytest.mark.parametrize("executions", [0, 3])
@pytest.mark.parametrize("guest", GUESTS, ids=[guest.name for guest in GUESTS])
def test_a_program_says_what_the_interpreter_says(guest: Guest, executions: int) -> None:
    """Whether a function is compiled before it is executed, or in its middle."""
    made = type("Made", (Compiling,), {"executions": executions})
    assert said(guest, made, COMPILES) == said(guest, Vm, PLAIN)


COUNTS = """
def f(n):
    t = 0
    for i in range(n):
        t += i
    return t
print(f(10))
print(f(10))
print(f(10))
"""


def test_a_function_is_compiled_when_it_has_been_executed_often() -> None:
    for executions, compiled in ((5, ["f"]), (100, []), (0, ["<module>", "f"])):
        with begun(COUNTS, executions) as (vm, program):
            assert program.wait().output == "45\n45\n45\n"
            texts = {each.text.address: each.code.name for each in vm.tier._loaded}
            assert sorted(texts[address] for address in vm.tier._installed) == compiled


def numbers(vm: Compiling, name: str) -> list[int]:
    """The numbers of a function's opcodes, as they are executed."""
    loaded = next(each for each in vm.tier._loaded if each.code.name == name)
    return [loaded.text[number] & NUMBER_MASK for number in range(loaded.text.words)]


def test_before_that_it_counts_at_its_beginning_and_in_its_loops() -> None:
    with begun(COUNTS, 100) as (vm, program):
        program.wait()
        (code,) = (each.code for each in vm.tier._loaded if each.code.name == "f")
        assert {at for at, number in enumerate(numbers(vm, "f")) if number == WARM} == {0, *bodies_of(code)}
        assert len(bodies_of(code)) == 1
        loop = next(at for at, each in enumerate(code.instructions) if each.op in BACK_EDGES)
        assert numbers(vm, "f")[loop] == NUMBERS[code.instructions[loop].op]  # its dispatch is its check


def test_a_back_edge_gets_an_entry_of_its_own() -> None:
    with begun(COUNTS, 5) as (vm, program):
        program.wait()
        (code,) = (each.code for each in vm.tier._loaded if each.code.name == "f")
        compiled = numbers(vm, "f")
        loop = next(at for at, each in enumerate(code.instructions) if each.op in BACK_EDGES)
        assert compiled[loop] == FIRST_LOOP
        assert COMPILED in compiled
        assert not {WARM} & {*compiled}


def test_a_loop_that_begins_with_a_back_edge_counts_nothing() -> None:
    code = compile_program("while True:\n    pass\n", FILE).codes[0]
    assert 0 not in counting(code) or code.instructions[0].op not in BACK_EDGES
    assert all(code.instructions[number].op not in BACK_EDGES for number in counting(code))


ENDLESS = {
    "while": "    while True:\n        x += 1\n",
    "for": "    for i in range(4000000000000000000):\n        x += i\n",
    "condition": "    while x < 4000000000000000000:\n        x += 1\n",
    "calls": "    while True:\n        g(x)\n",
    "recursion": "    while True:\n        r(100)\n",
    "exceptions": "    while True:\n        try:\n            raise ValueError(x)\n        except ValueError:\n            x += 1\n",
    "strings": "    while True:\n        s = str(x) + 'a'\n        x += len(s)\n",
    "lists": "    while True:\n        l = [x, x]\n        x = l[0]\n",
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("executions", [0, 50])
@pytest.mark.rule("POISON-EVERY-WORD")
def test_compiled_code_sees_an_interrupt(name: str, executions: int) -> None:
    source = f"def g(x):\n    return x\ndef r(n):\n    return 0 if n == 0 else 1 + r(n - 1)\ndef loop(x):\n{ENDLESS[name]}print('begins')\nloop(1)\n"
    with begun(source, executions) as (vm, program):
        assert soon(
            lambda: any(
                each.code.name == "loop" and each.text.address in vm.tier._installed for each in vm.tier._loaded
            )
        )
        vm.interrupt()
        assert program.wait().error == "KeyboardInterrupt"


@pytest.mark.rule("STOP-PARKS")
def test_threads_that_loop_in_compiled_code_stop_for_a_collection() -> None:
    """Two loop without an allocation while the third needs room, again and again; what each has is whole."""
    with begun(
        """
over = [False]
def one(number):
    x = 0
    if number < 2:
        while not over[0]:
            x += 1
    else:
        for i in range(3000):
            l = [i, [i]]
            assert l[1][0] == i
        over[0] = True
all_of(one, [0, 1, 2])
""",
        20,
        heap=1 << 16,
    ) as (vm, program):
        assert (program.wait().error, program.errors) == ("", "")
        assert program.statistics.collections > 3
        assert len(vm.tier._installed) > 0


@pytest.mark.rule("MASKED-STAYS", "OWNER-RESTORES")
@pytest.mark.parametrize("executions", [0, 20000])
def test_a_request_that_is_kept_for_later_outlives_the_installation(executions: int) -> None:
    """It is pending when the code is installed, or comes when it is; the loops look again and again, and leave it."""
    with begun(
        """
go = [True]
def waits():
    x = 0
    while go[0]:
        x += 1
def ends():
    sleep(0.2)
    go[0] = False
t = Thread(target=ends)
try:
    with masked():
        print("in")
        t.start()
        waits()
        print("out")
    print("not reached")
except KeyboardInterrupt:
    print("raised")
t.join()
""",
        executions,
        imports="from safepoint.guest.api import masked",
    ) as (vm, program):
        assert soon(lambda: program.output == "in\n")
        vm.world.post(vm.world.threads[0], INTERRUPT)
        assert program.wait().output == "in\nout\nraised\n"
        assert any(each.code.name == "waits" and each.text.address in vm.tier._installed for each in vm.tier._loaded)


def test_a_loop_that_catches_everything_ends_with_the_vm() -> None:
    source = "def f():\n    while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            pass\n"
    with begun(source + "print('begins')\nf()\n") as (vm, program):
        assert soon(lambda: program.output != "" and len(vm.tier._installed) > 1)
    assert program.running.done.is_set()


@pytest.mark.rule("POISON-EVERY-WORD")
def test_each_entry_is_poisoned_by_a_stub_of_its_own() -> None:
    with begun(COUNTS, 5) as (vm, program):
        program.wait()
        guest = GuestThread(vm._engine, vm._image, vm._variables, vm.world.heap, 512)
        used = [
            (guest.record.get("table", at), guest.record.get("base", at))
            for at in range(FIRST_LOOP, FIRST_LOOP + LOOPS)
        ]
        assert used == [(real, real) for real in vm.tier._bodies]
        vm._engine.procedure("post", guest.address, INTERRUPT)
        poisoned = [guest.record.get("table", at) for at in range(FIRST_LOOP, FIRST_LOOP + LOOPS)]
        assert poisoned == vm.tier._poison
        assert len({*poisoned}) == LOOPS == len(LOOP_ENTRIES)
        assert vm.tier._bodies[0] != poisoned[0]
        assert vm.tier._bodies[1:] == poisoned[1:]  # which no code uses


def test_beyond_the_entries_a_back_edge_stays_with_the_interpreter() -> None:
    loops = "".join("    for i in range(3):\n        t += i\n" for _ in range(LOOPS + 3))
    with begun(f"def f():\n    t = 0\n{loops}    return t\nprint(f(), f())\n") as (vm, program):
        assert program.wait().output == f"{3 * (LOOPS + 3)} {3 * (LOOPS + 3)}\n"
        found = numbers(vm, "f")
        assert len({*found} & {*range(FIRST_LOOP, FIRST_LOOP + LOOPS)}) == LOOPS
        assert found.count(NUMBERS["FOR_RANGE"]) == 3


def test_a_prompt_compiles_what_came_before_and_what_comes() -> None:
    output = io.StringIO()
    with Session(output, errors=output) as session:
        for text in (
            "def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n",
            "print(f(5000))\n",
            "print(f(3))\n",
        ):
            assert session.execute(text).fault is None
        session.end_inputs()
    assert output.getvalue() == "12497500\n3\n"


def ends_in_a_loop() -> None:
    """End this process while guest threads execute compiled code, as a host does that does not wait for them."""
    source = "from threading import Thread\ndef loop(x):\n    while True:\n        x += 1\nThread(target=loop, args=(1,)).start()\nloop(0)\n"
    vm = type("Made", (Compiling,), {"executions": 0})(compile_program(source, FILE), io.StringIO(), 4096, COMPILES)
    vm.start()
    assert soon(lambda: len(vm.tier._installed) > 1 and len(vm.world.threads) == 2)


def test_a_process_ends_while_guest_threads_execute_compiled_code() -> None:
    command = "from tests.impl.tier.test_tier import ends_in_a_loop; ends_in_a_loop()"
    found = subprocess.run([sys.executable, "-c", command], timeout=LONG, check=False)
    assert found.returncode == 0
