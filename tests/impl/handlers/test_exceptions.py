"""Raising and catching in machine code against the host's unwinder, in lockstep; and what runs without any host at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.guest.code import Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.values import Ref
from safepoint_vm.generate.engine import PLAIN, engine
from safepoint_vm.language.layout import Record
from safepoint_vm.language.machine import Exited
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld
from tests import oracle
from tests.impl.building import finish, inhabited, no_room

WRAPPERS = {
    "passes": "    {call}\n",
    "finally": "    try:\n        {call}\n    finally:\n        note(1)\n",
    "catches": "    try:\n        {call}\n    except LookupError as e:\n        note(str(e))\n",
    "catches another": "    try:\n        {call}\n    except (OSError, EOFError):\n        note(2)\n",
    "raises again": "    try:\n        {call}\n    except Exception:\n        raise\n",
    "raises again inside": "    try:\n        {call}\n    except Exception:\n        try:\n            raise\n"
    "        finally:\n            note(7)\n",
    "inside another": "    try:\n        try:\n            {call}\n        except EOFError:\n            note(8)\n"
    "    except LookupError:\n        note(9)\n",
    "raises it": "    try:\n        {call}\n    except Exception as e:\n        note(3)\n        raise e\n",
    "raises another": "    try:\n        {call}\n    except KeyError as e:\n        raise ValueError(str(e))\n",
    "twice": "    for i in range(2):\n        try:\n            {call}\n        finally:\n            note(i)\n",
    "in its else": "    try:\n        note(4)\n    except KeyError:\n        note(5)\n    else:\n        {call}\n",
    "after another": "    try:\n        raise KeyError(1)\n    except KeyError:\n        {call}\n",
}
RAISES = [
    "raise IndexError('i')",
    "raise KeyError('k')",
    "raise ValueError",
    "raise OSError",
    "note(6)",
    "note([][0])",
    "note('a'[1])",
]
RAISES += ["[][1] = 0", "[].pop()", "note(1 // 0)", "note(1 % 0)", "note(1 / 0)", "note(1.0 // 0)", "note(1 % 0.0)"]
RAISES += ["note(0.0 / 0)", "note([1][-2])"]


def source_of(wrappers: list[str], raises: str) -> str:
    """Functions that call each other, innermost first, each in its way."""
    text = f"notes = []\ndef note(x):\n    notes.append(x)\n\ndef f0():\n    {raises}\n\n"
    for number, wrapper in enumerate(wrappers):
        text += f"def f{number + 1}():\n{WRAPPERS[wrapper].format(call=f'f{number}()')}\n"
    return text + f"f{len(wrappers)}()\n"


def frame_of(thread: GuestThread) -> int:
    return (thread.record.get("frame") - thread.stack.address) // 8


def exceptions(thread: GuestThread) -> dict[int, object]:
    """In slots of the frame: kind, arguments and trace."""
    found: dict[int, object] = {}
    for number in range(thread.code_address().code.slots):
        value = thread.slot(number) if thread.stack[frame_of(thread) + number] & 1 else None
        if isinstance(value, Ref) and value.kind == "exception":
            found[number] = *thread._view.exception(value), thread._view.trace(value)
    return found


def born(image: Image, stress: bool) -> tuple[GuestThread, GuestWorld]:
    world = GuestWorld(engine(PLAIN), SMALLEST, stress)

    def make(record: Record | None) -> GuestThread:
        return GuestThread(engine(PLAIN), image, image.globals(), world.heap, 400, record)

    return world.add(make), world


@given(st.lists(st.sampled_from(list(WRAPPERS)), max_size=8), st.sampled_from(RAISES), st.booleans())
def test_machine_code_unwinds_as_the_host_does(wrappers: list[str], raises: str, stress: bool) -> None:
    """One image, so that the places of their traces are the same addresses.  `stress`: each allocation begins again."""
    image = Image(engine(PLAIN), compile_program(source_of(wrappers, raises), oracle.FILE))
    (mine, world), (hosts, _) = born(image, stress), born(image, False)
    while not mine.ended:
        assert (mine.record.get("pc"), frame_of(mine)) == (hosts.record.get("pc"), frame_of(hosts))
        seen, theirs = exceptions(mine), exceptions(hosts)
        assert seen == theirs or (stress and seen.items() <= theirs.items())  # a collection clears dead slots
        while (why := mine.enter(budget=1)) is Exited.NEEDS_ROOM:
            assert mine.serve(why, lambda: world.collect(mine))
        assert why is Exited.STEPPED or mine.serve(why, lambda: world.collect(mine))
        if hosts.code_address().instruction.op in ("RAISE", "RERAISE"):
            assert hosts.serve(Exited.FAULT, no_room)
        elif (why := hosts.enter(budget=1)) is not Exited.STEPPED:
            assert hosts.serve(why, no_room)
    assert hosts.ended
    assert mine.fault == hosts.fault
    if mine.fault:
        assert mine.traceback() == hosts.traceback()


@given(st.lists(st.sampled_from(list(WRAPPERS)), max_size=8), st.sampled_from(RAISES))
def test_a_traceback_is_pythons(wrappers: list[str], raises: str) -> None:
    source = source_of(wrappers, raises)
    thread = inhabited(compile_program(source, oracle.FILE), heap=SMALLEST)[0]
    finish(thread)
    theirs = oracle.run(source)
    assert (thread.fault.kind if thread.fault else "") == theirs.error
    if thread.fault:
        assert thread.fault.message == theirs.message
        assert tuple((line, function) for _, line, function in thread.traceback()) == theirs.lines


@pytest.mark.parametrize("raises", RAISES)
def test_what_is_caught_says_what_python_says(raises: str) -> None:
    source = f"def note(x):\n    pass\n\ntry:\n    {raises}\nexcept Exception as e:\n    print(e)\n"
    output = finish(inhabited(compile_program(source, oracle.FILE))[0])
    assert output == oracle.run(source).output


def exits(built: Program, stress: bool) -> set[Exited]:
    """Why machine code is left, until the program ends."""
    thread, world = inhabited(built, heap=SMALLEST, stress=stress)
    found = set()
    while not thread.ended:
        found.add(why := thread.enter())
        assert thread.serve(why, lambda: world.collect(thread))
    assert thread.fault is None
    return found


LONELY = {
    "raise and catch": "for i in range(300):\n    try:\n        raise ValueError('x')\n    except LookupError:\n        t = 0\n"
    "    except ArithmeticError:\n        t = 1\n    except ValueError as e:\n        t = e\n",
    "through frames": "def f(n):\n    try:\n        if n == 0:\n            raise KeyError(n)\n        f(n - 1)\n"
    "    finally:\n        n = 0\n\nfor i in range(50):\n    try:\n        f(i)\n    except KeyError:\n        t = 0\n",
    "known faults": "x = []\nfor f in [0, 0.0]:\n    try:\n        x[0] = 1\n    except IndexError:\n        try:\n"
    "            x.pop()\n        except IndexError as e:\n            try:\n                t = 5 // f\n"
    "            except ZeroDivisionError as e:\n                t = e\n",
    "lists": "for i in range(4):\n    z = [1]\n    z *= 3\nx = [1, 2.5, 'a', [1], None] * 2\nx *= 2\ny = 2 * [0] + x + [1, 'b', [3]]\ny += x\nt = [x == y, x != y, x == x + []]\n",
    "order": "t = [[1, 2] < [1, 3.5], [1, 'a'] <= [1, 'b'], 'ab' > 'a', ['x', [2]] >= ['x', [1]], 2 < 2.5, True < 2]\n",
    "in": "x = [1, 'a', 2.5, [3], None]\nt = [[3] in x, 'b' not in x, 1.0 in x, None in x, 'll' in 'hello', '' in '', 'a' is 'b']\n",
    "numbers": "t = [abs(-3), abs(-2.5), min(3, 1.5), max('a', 'b'), max([1, 2, 1.5]), bool(''), chr(300), ord('a'), int(2.9)]\n"
    "t = [float(3), float(True), int('-17'), int(True), sum([1, 2, True]), sum([0.5, 1], 2), 7.5 // 2, -7 % 2.5, 2 ** 10]\n"
    "t = [-0.0, +2.5, -1.5 ** 2, (-1.5) ** 3, 2 ** -1, 2.0 ** 0.5, 0.0 ** 2, 'ab' * 3, 3 * 'ab']\n",
    "texts": "x = 12\nt = [f'{x}, {-x}{x * x}: {\"a\" + str(x)}', str(-5), str('a'), f'']\n",
}


@pytest.mark.parametrize("stress", [False, True])
@pytest.mark.parametrize("name", LONELY)
def test_nothing_hot_calls_python(name: str, stress: bool) -> None:
    """In an ordinary program machine code is left at the end only, or to collect."""
    assert exits(compile_program(LONELY[name], oracle.FILE), stress) <= {Exited.FINISHED, Exited.NEEDS_ROOM}
