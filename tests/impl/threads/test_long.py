"""Long instructions on OS threads: they are interrupted, stopped and collected in their middle, and come to the right result."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from safepoint.guest.heap import WORK
from safepoint.guest.operations.values import CHUNK
from safepoint.guest.values import Value
from safepoint.protocol.words import SAMPLE
from safepoint_vm.generate import build, cache
from safepoint_vm.generate.engine import PLAIN, engine
from safepoint_vm.generate.object_code import by_text
from safepoint_vm.handlers.shared import work
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Word, routine
from safepoint_vm.memory.value_view import ValueView
from safepoint_vm.threads import life
from safepoint_vm.threads.life import TRIES
from safepoint_vm.threads.thread import GuestThread
from tests.child import Child
from tests.impl.building import code, inhabited, no_room, program
from tests.impl.running import begun
from tests.impl.waiting import NEVER, soon

N = 2 * WORK
ENDLESS = """
def shared(depth):
    a = [1]
    for i in range(depth):
        a = [a, a]
    return a
a, b = shared(60), shared(60)
print("ready")
try:
    {}
    print("has ended")
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.rule("LONG-WORK-POLLS")
@pytest.mark.parametrize(
    "endless", ["a == b", "a < b", "[b] != [a]", "b in [1, a]", "max(a, b)", "str(a)", "print(a)", "f'{a}'"]
)
def test_what_never_ends_is_interrupted(endless: str) -> None:
    """2**60 comparisons: the same two lists, found twice at each depth."""
    with begun(ENDLESS.format(endless)) as (vm, ran):
        assert soon(lambda: "ready" in ran.output)
        vm.interrupt()
        assert ran.wait().output == "ready\ninterrupted\n"


@routine
def asked(thread: Thread) -> Word:
    """Finds no request, ever."""
    return thread.limit_poison


def ends_badly() -> bool:
    """With that twin, for a process of its own: the comparison goes on for ever, and nothing ends it."""
    vars(work)["asked"] = asked
    vars(cache)["state"], vars(build)["object_file"] = (lambda: ""), by_text
    with begun(ENDLESS.format("a == b")) as (vm, ran):
        assert soon(lambda: "ready" in ran.output)
        vm.interrupt()
        return ran.running.done.wait(NEVER)


def test_machine_code_that_does_not_look_is_noticed() -> None:
    with Child(bound=100) as child:
        assert not child(ends_badly)


def test_an_interrupt_in_the_last_instruction_that_takes_long_is_not_lost() -> None:
    """No other check follows."""
    with begun(f"l = [1] * {20 * N}\nprint('ready')\ns = str(l)\nprint('done')", heap=64 << 20) as (vm, ran):
        assert soon(lambda: "ready" in ran.output)
        vm.interrupt()
        assert ran.wait().error == "KeyboardInterrupt"
        assert ran.output == "ready\n"


def test_the_world_is_stopped_in_the_middle_of_an_instruction() -> None:
    """Again and again: the text of two million items is not made before."""
    with begun("l = [1] * 2000000\nprint('ready')\ns = str(l)\nprint('done')", heap=64 << 20) as (vm, ran):
        assert soon(lambda: "ready" in ran.output)
        for _ in range(5):
            with vm.world.stopped():
                assert ran.output == "ready\n"
        vm.interrupt()
        assert ran.wait().output == "ready\n"


def test_a_thread_that_goes_on_after_each_interrupt_is_ended_with_the_vm() -> None:
    source = ENDLESS.format("pass").replace(
        "try:", "while True:\n    try:\n        a == b\n    except KeyboardInterrupt:\n        pass\ntry:"
    )
    with begun(source) as (_, ran):
        assert soon(lambda: "ready" in ran.output)
    assert ran.running.done.wait(10)


MOVING = """
over, turns = [False], [0]
def storm():
    while not over[0]:
        collect()
        turns[0] += 1
def work(l, m):
    {work}
t = Thread(target=storm)
t.start()
l, m = [[1, "ab"], 2.5, "c", [[]]] * 5000, [[1, "ab"], 2.5, "c", [[]]] * 5000
while not turns[0]:
    pass
before = turns[0]
r = work(l, m)
while turns[0] - before < 3:
    r = work(l, m)
print(r)
over[0] = True
t.join()
"""
WORKS = (
    "s = str(l)\nreturn [len(s), s[0], s[-9:], s[99999:100099]]",
    "return [l == m, l < m, l + [1] > m]",
    "return [[3] in l, 'd' in l, [[]] in l, max([l, m], [l, m, 1])[2]]",
    "k = l + m\nreturn [k == l * 2, k[-1], k[len(l):] == m]",
    "k = l * 3\nk += m\nk *= 2\ndel k[1]\nreturn [k.pop(0), len(k), k[:7], k[-3:]]",
    "k = l[:]\nk.append([l])\nk += 'xyz\u20ac' * 9000\nk *= 0\nreturn [k, len(l)]",
    "k = l[:]\nk.append([l])\nk += 'xyz\u20ac' * 9000\nreturn [k[len(l):][0] == [m], len(k), k[-5:]]",
    "s = 'ab\u20ac' * 20000\nk = s + s\nreturn [k == s * 2, len(f'{s}{k}'), k[60001:60005], len(repr(k)), k[1:] > s]",
    "return [min(l[1:2] * 20000 + [1.5]), sum([0.5] * 20000), len(sum([l, m], [])), max(str(l))]",
)


@pytest.mark.parametrize("tries", [0, TRIES])
@pytest.mark.parametrize("work", WORKS)
def test_what_it_works_on_is_moved_all_the_time(work: str, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread collects without end: machine code begins again, or the host goes on.  The result is CPython's."""
    monkeypatch.setattr(life, "TRIES", tries)
    source = MOVING.format(work=work.replace("\n", "\n    "))
    scope: dict[str, Callable[..., object]] = {}
    exec(source[source.index("def work") : source.index("t = ")], scope)
    one, other = ([[1, "ab"], 2.5, "c", [[]]] * 5000 for _ in range(2))
    with begun(source, heap=32 << 20, imports="from safepoint.guest.api import collect") as (_, ran):
        assert (ran.wait().error, ran.errors) == ("", "")
        assert ran.output == f"{scope['work'](one, other)}\n"


# ---- how much is done between two looks


HANDED_OVER: dict[str, tuple[tuple[object, ...], ...]] = {
    "LIST == LIST": (("EQUAL", 0, 1, 2),),
    "LIST < LIST": (("LESS", 0, 1, 2),),
    "2 in LIST": (("IN", 0, 3, 1),),
    "LIST + LIST": (("ADD", 0, 1, 2),),
    "LIST += LIST": (("IADD", 1, 1, 2),),
    "LIST * 2": (("MUL", 0, 1, 3),),
    "LIST *= 2": (("IMUL", 1, 1, 3),),
    "LIST[None:None]": (("SLICE", 0, 1, 6),),
    "LIST.pop(0)": (("POP_AT", 0, 1, 8),),
    "del LIST[0]": (("DELETE_INDEX", 1, 8),),
    "LIST.append(2)": (("APPEND", 1, 3),),
    "max(LIST)": (("BUILTIN", 1, 6, 1),),
    "sum(LIST)": (("BUILTIN", 1, 7, 1),),
    "TEXT == TEXT": (("EQUAL", 0, 4, 5),),
    "TEXT is TEXT": (("IS", 0, 4, 5),),
    "TEXT < TEXT": (("LESS", 0, 4, 5),),
    "TEXT + TEXT": (("ADD", 0, 4, 5),),
    "TEXT * 2": (("MUL", 0, 4, 3),),
    "TEXT[None:None]": (("SLICE", 0, 4, 6),),
    "f'{TEXT}{TEXT}'": (("FORMAT", 4, 2),),
    "'a' in TEXT": (("IN", 0, 9, 4),),
}
"""Instructions over slots 1, 2: lists; 3: the int 2; 4, 5: strings; 6, 7: None; 8: 0; 9: "a"."""


def before(lines: tuple[tuple[object, ...], ...], count: int) -> GuestThread:
    """A thread that stands before an instruction whose lists and strings have `count` elements."""
    filling = [("LOADK", number, 0) for number in range(10)]
    thread, _ = inhabited(program(code("<module>", 10, *filling, *lines, ("HALT",))))
    assert thread.enter(budget=len(filling)) is Exited.STEPPED
    view = thread._view
    for number, value in enumerate(
        (view.new_list([1] * count), view.new_list([1] * count), 2, "b" * count, "b" * count, None, None, 0, "a"), 1
    ):
        view.begin()
        thread.stack[number] = view.word(value)
    return thread


@pytest.mark.parametrize("name", HANDED_OVER)
def test_machine_code_looks_before_more_than_work_units(name: str) -> None:
    """Where a request waits it gives up, and gives back what it has allocated; without one, and up to WORK units, it does not."""
    for count, asked in ((WORK + 2, True), (WORK + 2, False), (WORK // 4, True)):
        thread = before(HANDED_OVER[name], count)
        if asked:
            engine(PLAIN).procedure("post", thread.address, SAMPLE)
        top = thread.record.get("heap_top")
        why = thread.enter()
        assert why is (
            Exited.HOSTED
            if asked and count > WORK
            else Exited.NEEDS_ROOM
            if why is Exited.NEEDS_ROOM
            else Exited.FINISHED
        )
        assert why is not Exited.HOSTED or thread.record.get("heap_top") == top


class Looks:
    """A waiter that counts the values that the host reads before each look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done, self.most, self.looks = 0, 0, 0
        value = ValueView.value

        def counts(view: ValueView, word: int) -> Value:
            self.done += 1
            return value(view, word)

        monkeypatch.setattr(ValueView, "value", counts)

    def look(self) -> None:
        self.most, self.done, self.looks = max(self.most, self.done), 0, self.looks + 1

    def make_room(self) -> bool:
        return False


SLOW: dict[str, tuple[object, ...]] = {
    "str(LIST)": ("BUILTIN", 1, 2, 1),
    "LIST == LIST": ("EQUAL", 0, 1, 2),
    "LIST < LIST": ("LESS", 0, 1, 2),
    "2 in LIST": ("IN", 0, 3, 1),
    "max(LIST)": ("BUILTIN", 1, 6, 1),
    "sum(LIST)": ("BUILTIN", 1, 7, 1),
}


@pytest.mark.rule("LONG-WORK-POLLS")
@pytest.mark.parametrize("name", SLOW)
def test_the_host_does_at_most_work_units_between_two_looks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted where it reads the heap: two lists side by side are two values a unit, and a chunk of them is read before it looks."""
    thread = before((SLOW[name],), 5 * WORK)
    looks = Looks(monkeypatch)
    thread.waits_in(looks)
    thread.serve(Exited.HOSTED, no_room)
    assert thread.fault is None
    assert looks.looks >= 4
    assert WORK // 2 < looks.most <= 2 * (WORK + CHUNK) + 2


def test_a_thread_that_holds_a_lock_of_the_host_does_not_poll() -> None:
    """START reads the new thread's arguments while collectors are kept out: to wait there for a stop to end would be for ever."""
    thread = before((("MOVE", 7, 4), ("THREAD", 6, 3), ("START", 6)), 5 * WORK)

    class Never:
        def look(self) -> None:
            raise AssertionError("a poll in the middle of a START")

        def make_room(self) -> bool:
            raise AssertionError("a collection in the middle of a START")

    assert thread.enter() is Exited.HOSTED
    thread.serve(Exited.HOSTED, no_room)
    assert thread.enter() is Exited.THREADING
    thread.waits_in(Never())
    assert thread.refused() is None
    _, _, (text, _) = thread.startable()
    assert text == thread.stack[4]
