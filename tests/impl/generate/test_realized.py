"""What accesses become of words that the protocol's text has and the machine has not: the epoch of a thread, and its page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from llvmlite import ir

from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import Text
from safepoint.protocol import TRIGGERS, files
from safepoint.protocol.policies import GUARD_PAGE, WASMTIME
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import GO, RAISE_INTERRUPT, SAMPLE
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.generate.procedures import ProtocolCodeError
from safepoint_vm.generate.protocol import add_procedure
from safepoint_vm.generate.triggers import EPOCH, PAGE, shown
from safepoint_vm.language.layout import fields
from safepoint_vm.language.pages import PROTECTED, READABLE, Page, is_readable, protect
from safepoint_vm.language.records import Thread, World
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld
from tests.impl.building import code, inhabited, program
from tests.impl.machine_code import listing

EPOCHS = Variant(policy=WASMTIME)
HALT = program(code("<module>", 1, ("HALT",)))


def three(variant: Variant) -> tuple[GuestWorld, list[GuestThread]]:
    first, world = inhabited(HALT, variant=variant)
    return world, [first, *(born(world, first, number) for number in (1, 2))]


def born(world: GuestWorld, first: GuestThread, number: int) -> GuestThread:
    return world.add(lambda record: first.child(record, number, 0, []))


def call(thread: GuestThread, procedure: str, *arguments: int) -> int:
    assert thread.engine.procedure(procedure, thread.address, *arguments) == 0
    return thread.record.get("result")


def test_one_post_advances_the_counter_once_for_all_threads() -> None:
    world, threads = three(EPOCHS)
    assert [EPOCH.is_poisoned(t.record) for t in threads] == [False] * 3
    call(threads[1], "post", SAMPLE)
    assert world.record.get("epoch") == 1
    assert [EPOCH.is_poisoned(t.record) for t in threads] == [True] * 3
    call(threads[0], "post", SAMPLE)  # it is poisoned already, and so are the others
    assert world.record.get("epoch") == 1


def test_the_next_deadline_is_one_beyond_the_counter() -> None:
    """And is for its own thread: the others have yet to look."""
    world, threads = three(EPOCHS)
    call(threads[0], "post", SAMPLE)
    call(threads[1], "slow_path")
    assert [t.record.get("deadline") for t in threads] == [1, 2, 1]
    assert [shown(EPOCH, WASMTIME, t.record) for t in threads] == ["poison", "real", "poison"]
    call(threads[2], "post", SAMPLE)  # that thread is poisoned; but not all are
    assert world.record.get("epoch") == 2
    assert [shown(EPOCH, WASMTIME, t.record) for t in threads] == ["poison"] * 3


def test_who_finds_nothing_goes_on() -> None:
    _, threads = three(EPOCHS)
    call(threads[0], "post", 4)
    assert call(threads[1], "slow_path") == GO
    assert call(threads[0], "slow_path") == RAISE_INTERRUPT


def test_a_new_thread_has_a_deadline_to_come() -> None:
    world, threads = three(EPOCHS)
    for _ in range(3):
        call(threads[0], "post", SAMPLE)
        call(threads[0], "slow_path")
    later = born(world, threads[0], 3)
    assert (world.record.get("epoch"), later.record.get("deadline")) == (3, 4)


def test_the_counter_is_read_before_the_deadline_and_advanced_with_a_lock() -> None:
    """The order of the two reads is what lets an advance be left out.  Of its own thread's part and of each thread's, in a loop."""
    counter, deadline = fields(World)["epoch"].offset, fields(Thread)["deadline"].offset
    found = ((line, re.search(rf"\b({counter}|{deadline})\(%\w+\)", line)) for line in listing(EPOCHS, "poison"))
    made = [(line.split()[0], "counter" if int(at[1]) == counter else "deadline") for line, at in found if at]
    part = [("movq", "counter"), ("movq", "deadline"), ("lock", "counter")]
    assert made == [*part, *part]


def test_a_page_is_protected_and_made_readable_by_the_system() -> None:
    """As the system itself says."""
    thread, world = inhabited(HALT, variant=Variant(policy=GUARD_PAGE))
    other = born(world, thread, 1)
    page = thread.record.get("page")
    assert page != other.record.get("page")
    call(thread, "post", SAMPLE)
    assert not is_readable(page)
    assert not is_readable(page + 4095)
    assert is_readable(other.record.get("page"))
    assert call(thread, "slow_path") == GO
    assert is_readable(page)


def test_the_system_is_asked_and_not_a_copy() -> None:
    page = Page()
    assert is_readable(page.address)
    protect(page.address, PROTECTED)
    assert not is_readable(page.address)
    protect(page.address, READABLE)
    assert is_readable(page.address)
    assert not is_readable(64)
    with pytest.raises(OSError, match="mprotect"):
        protect(64, READABLE)


def test_a_record_that_is_used_again_keeps_its_page_and_it_is_readable() -> None:
    thread, world = inhabited(HALT, variant=Variant(policy=GUARD_PAGE))
    first = born(world, thread, 1)
    page = first.record.get("page")
    call(first, "post", SAMPLE)
    world.remove(first)
    again = born(world, thread, 2)
    assert again.record is first.record
    assert again.record.get("page") == page
    assert not PAGE.is_poisoned(again.record)


@pytest.mark.parametrize("word", ["epoch", "page"])
def test_an_access_that_they_have_not_is_refused(word: str, tmp_path: Path) -> None:
    """With file and line, and what to write instead."""
    broken = tmp_path / f"{word}.py"
    text = TRIGGERS[word].read_text(encoding="utf-8")
    broken.write_text(
        text.replace(f"    t.{word}.swap(t.{word}.real)", f"    t.{word}.store(t.{word}.real)"), encoding="utf-8"
    )
    paths = tuple(broken if path == TRIGGERS[word] else path for path in files(word)[:-1])
    slow_path = compile_graph(Text(paths), "slow_path", Instance(threads=None))
    refusal = rf"{word}.py:\d+: store has no machine code: {word} is no word of memory \(write instead: t.{word}.swap"
    with pytest.raises(ProtocolCodeError, match=refusal):
        add_procedure(ir.Module(), slow_path, hooked=False)


@pytest.mark.parametrize("policy", [WASMTIME, GUARD_PAGE], ids=lambda policy: policy.name)
def test_a_scheduler_that_makes_every_access_refuses_them(policy: Policy) -> None:
    with pytest.raises(
        ProtocolCodeError, match=r"(epoch|page) is no word of memory \(choose another policy: -p folded\)"
    ):
        engine(Variant(hooked=True, hosted=True, policy=policy))
