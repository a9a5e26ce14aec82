"""The machine code made from the protocol's text: its memory orders as they stand in the assembly, and its waits."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from llvmlite import ir

from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import ProtocolError, Text
from safepoint.protocol import files
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.words import HANDSHAKE, INTERRUPT, MANAGED, NATIVE, PARKED, STOP
from safepoint.verify.interpreter import NEEDS, can_show
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.generate.procedures import PROCEDURES, ProtocolCodeError
from safepoint_vm.generate.protocol import add_procedure, add_protocol
from safepoint_vm.generate.triggers import ENTRIES, FUSED_ENTRIES, LIMIT, TRIGGERS, words_of
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import SERVED, Thread
from safepoint_vm.language.words import NONE_WORD
from tests.impl.building import code, fresh, inhabited, program
from tests.impl.machine_code import listing

PENDING, STATE = fields(Thread)["pending"].offset, fields(Thread)["state"].offset
WORDS = {**{t.at: t.word for t in TRIGGERS.values()}, PENDING: "pending", STATE: "state"}


def shared_stores(name: str, mutant: str = "") -> list[tuple[str, str]]:
    """(instruction, word) for each store to a shared word of a procedure's own thread, as they stand."""
    found = []
    for line in listing(Variant(mutant=mutant), name):
        written = re.match(r"^((?:lock )?\w+) (?:[$%]\w+, )?(\d*)\(%rdi\)$", line)
        if written and int(written[2] or 0) in WORDS and not written[1].startswith(("cmp", "test")):
            found.append((written[1], WORDS[int(written[2] or 0)]))
    return found


TAKEN = ("lock cmpxchgq", "pending")  # a fetch_and whose result is used is a loop on x86-64
TRIGGER_STORES = [("movq", t.word) for t in (LIMIT, *ENTRIES, *FUSED_ENTRIES)]


@pytest.mark.rule("POST-BEFORE-POISON")
def test_post_says_why_with_a_lock_and_then_poisons_with_plain_stores() -> None:
    assert shared_stores("post") == [("lock orq", "pending"), *TRIGGER_STORES]


@pytest.mark.rule("POST-BEFORE-POISON")
def test_the_order_of_stores_is_read_from_the_code_and_can_be_wrong() -> None:
    assert shared_stores("post", "poison-before-post") == [*TRIGGER_STORES, ("lock orq", "pending")]


@pytest.mark.rule("RESTORE-BEFORE-TAKE", "TAKE-IS-LOCKED")
@pytest.mark.parametrize("name", ["slow_path", "push_failed"])
def test_the_slow_path_restores_with_plain_stores_and_takes_with_a_lock(name: str) -> None:
    stores = shared_stores(name)
    taken = stores.index(TAKEN)
    assert stores[:taken] == TRIGGER_STORES
    assert [s for s in stores[: taken + 1] if s[1] == "pending"] == [TAKEN]
    assert all(s[0].startswith("lock ") for s in stores if s[1] == "pending")


@pytest.mark.rule("TAKE-IS-LOCKED")
def test_an_unlocked_take_is_told() -> None:
    assert TAKEN not in shared_stores("slow_path", "unlocked-take")


@pytest.mark.rule("REENTER-LOOKS-AGAIN")
def test_reentering_is_locked_and_leaving_is_not() -> None:
    assert shared_stores("reenter")[0] == ("xchgq", "state")
    assert shared_stores("leave") == [("movq", "state")]


OF_A_VARIANT = "operates-while-stopped"
"""A mutant in a procedure that the interpreter has, in lines of a variant that it has not."""
WAITS_IN_ITS_TARGET = "post-waits-its-turn"


def procedures(mutant: str) -> dict[str, str]:
    """The protocol's code alone, as LLVM is given it."""
    module = ir.Module()
    add_protocol(module, mutant, hooked=False)
    return {function.name: str(function) for function in module.functions}


def test_every_mutant_of_the_text_is_compiled_in_and_changes_a_procedure() -> None:
    """Every mutant of a procedure that the interpreter has, but one of a variant, and one that the next test sees refused."""
    plain, text = procedures(""), Text()
    instance = Instance(threads=None)
    there = {place for name in PROCEDURES for step in compile_graph(text, name, instance).steps for place in step.where}
    mutants = [
        mutant.name for mutant in text.mutants.values() if {procedure for _, _, procedure in mutant.places} & there
    ]
    assert len(mutants) >= 20
    mutants.remove(WAITS_IN_ITS_TARGET)
    assert [mutant for mutant in mutants if procedures(mutant) == plain] == [OF_A_VARIANT]
    assert OF_A_VARIANT in NEEDS["variants of the core"]


def test_a_mutant_that_waits_in_its_targets_record_is_refused() -> None:
    """Its target may wait there itself: no machine code could keep what both need, so no program can show this mutant."""
    with pytest.raises(ProtocolCodeError, match=r"post waits with kind in its target's record"):
        procedures(WAITS_IN_ITS_TARGET)
    assert not can_show(WAITS_IN_ITS_TARGET)


def test_a_fence_for_all_threads_is_refused() -> None:
    """There is no machine code for it yet: a text that needs it must not be compiled without it."""
    procedure = compile_graph(Text(), "stop_world", Instance(threads=None, slices=("membarrier",)))
    with pytest.raises(
        ProtocolCodeError, match=r"stop_world: .*fence_others is the model's only: it has no machine code"
    ):
        add_procedure(ir.Module(), procedure, hooked=False)


def orders(name: str, mutant: str = "") -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """(kind of instruction, order) of each access of a procedure: in LLVM's text, and as the protocol's text says."""
    graph, module = compile_graph(Text(), name, Instance(threads=None, mutant=mutant)), ir.Module()
    add_procedure(module, graph, hooked=False)
    kinds = {"load": "load", "store": "store", "cas": "cmpxchg"}
    written = re.findall(r"(load|store|atomicrmw|cmpxchg) (?:atomic|\w+) .*?(acquire|release|seq_cst)", str(module))
    said = ((kinds.get(step.op, "atomicrmw"), step.order) for step in graph.steps if step.cell)
    return Counter(written), Counter(said)


@pytest.mark.parametrize("name", PROCEDURES)
def test_each_access_has_the_order_that_the_text_says(name: str) -> None:
    written, said = orders(name)
    assert written == said


def test_a_mutant_of_an_order_changes_that_order_and_nothing_else() -> None:
    right, _ = orders("reenter")
    wrong, _ = orders("reenter", "reenter-acquire")
    assert right - wrong == Counter({("load", "seq_cst"): 1})
    assert wrong - right == Counter({("load", "acquire"): 1})


def awaken(body: str, tmp_path: Path) -> str:
    """LLVM's text of `awaken` with another body."""
    good = next(path for path in files() if path.name == "requester.py")
    bad = tmp_path / good.name
    was = r'(?<=when what t sleeps for is there\."""\n)(    .*\n)+'
    bad.write_text(re.sub(was, lambda _: body, good.read_text(encoding="utf-8")), encoding="utf-8")
    text = Text(tuple(bad if path == good else path for path in files()[:-1]))
    module = ir.Module()
    add_procedure(module, compile_graph(text, "awaken", Instance(threads=None)), hooked=False)
    (function,) = module.functions
    return str(function)


def test_adding_and_a_fence_are_one_instruction_each(tmp_path: Path) -> None:
    made = awaken("    t.wake.fetch_add(2)\n    fence()\n    t.wake.fetch_sub(1)\n", tmp_path)
    found = re.findall(r"atomicrmw (\w+) .*, i64 (\d) seq_cst|(fence) seq_cst", made)
    assert found == [("add", "2", ""), ("", "", "fence"), ("sub", "1", "")]


def test_what_only_a_model_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProtocolCodeError, match="awaken:atomic is the model's only: it has no machine code"):
        awaken("    with atomic():\n        t.wake.store(1)\n", tmp_path)


def test_which_thread_it_is_is_known(tmp_path: Path) -> None:
    """`u is t`, where u is one of all threads: its record is the procedure's own."""
    made = awaken("    for u in threads():\n        u.wake.store(u is t)\n", tmp_path)
    assert re.search(r"icmp eq ptr", made)


def test_an_unknown_mutant_is_refused_by_name() -> None:
    with pytest.raises(ProtocolError, match="no mutant 'nonsense'"):
        engine(Variant(mutant="nonsense"))


def test_a_post_writes_no_word_that_is_only_the_owners() -> None:
    """The result of a procedure is its thread's: a requester's post must not overwrite it."""
    thread = fresh(program(code("<module>", 1, ("HALT",))))
    before = [thread.record[i] for i in range(thread.record.words)]
    thread.record.set("result", 77)
    engine(PLAIN).procedure("post", thread.address, INTERRUPT)
    after = [thread.record[i] for i in range(thread.record.words)]
    changed = {8 * i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
    assert changed == {
        PENDING,
        fields(Thread)["wake"].offset,
        fields(Thread)["result"].offset,
        *(t.at for t in (*words_of(FOLDED), *FUSED_ENTRIES)),
    }
    assert thread.record.get("result") == 77


@pytest.mark.rule("STOP-PARKS")
def test_a_stop_and_a_guest_wait_for_each_other_through_statuses() -> None:
    code_of_guest = code("<module>", 1, ("JUMP_BACK", -1), ("HALT",))
    thread = fresh(program(code_of_guest))
    call, world = engine(PLAIN).procedure, thread.world.address
    stopping = call("stop_world", world)
    assert stopping != 0  # the guest is in guest code
    waits = call("slow_path", thread.address)
    assert waits != 0
    assert thread.record.get("state") == PARKED
    assert call("stop_world", world, resume=stopping) == 0
    assert call("slow_path", thread.address, resume=waits) != 0  # still stopped
    assert call("start_world", world) == 0
    assert call("slow_path", thread.address, resume=waits) == 0
    assert thread.record.get("state") == MANAGED
    assert thread.record.get("served", SERVED[STOP]) == 1  # served once


@pytest.mark.rule("STOP-AWAITS-ALL")
def test_a_status_is_the_same_only_where_nothing_has_changed() -> None:
    """A caller notifies other waiters unless the status is unchanged; one that waits anew at the same access is another."""
    thread, world = inhabited(program(code("<module>", 1, ("HALT",))))
    other = world.add(lambda record: thread.child(record, 1, NONE_WORD, ()))
    other.record.set("state", MANAGED)
    call = engine(PLAIN).procedure
    stopping = call("stop_world", world.address)
    assert call("stop_world", world.address, resume=stopping) == stopping
    call("leave", thread.address)
    further = call("stop_world", world.address, resume=stopping)  # waits for the other one, at the same access
    assert further not in (0, stopping)
    assert call("stop_world", world.address, resume=further) == further
    call("leave", other.address)
    assert call("stop_world", world.address, resume=further) == 0


@pytest.mark.rule("TAKEN-IS-SERVED")
def test_what_was_taken_with_a_stop_survives_the_wait() -> None:
    thread = fresh(program(code("<module>", 1, ("JUMP_BACK", -1), ("HALT",))))
    call = engine(PLAIN).procedure
    stopping = call("stop_world", thread.world.address)
    call("post", thread.address, INTERRUPT)
    waits = call("slow_path", thread.address)
    assert call("stop_world", thread.world.address, resume=stopping) == 0
    call("start_world", thread.world.address)
    assert call("slow_path", thread.address, resume=waits) == 0
    assert thread.record.get("served", SERVED[INTERRUPT]) == 1
    assert thread.record.get("pending") == 0


@pytest.mark.rule("HANDSHAKE-ONCE")
def test_who_asks_a_running_thread_waits_through_statuses() -> None:
    thread = fresh(program(code("<module>", 1, ("JUMP_BACK", -1), ("HALT",))))
    call = engine(PLAIN).procedure
    asking = call("handshake", thread.address)
    assert asking != 0
    assert call("handshake", thread.address, resume=asking) == asking  # comes round
    assert thread.record.get("served", SERVED[HANDSHAKE]) == 0
    assert call("slow_path", thread.address) == 0
    assert thread.record.get("served", SERVED[HANDSHAKE]) == 1
    assert call("handshake", thread.address, resume=asking) == 0
    call("leave", thread.address)
    assert call("handshake", thread.address) == 0  # by the requester itself
    assert thread.record.get("served", SERVED[HANDSHAKE]) == 2


def test_a_stop_does_not_wait_for_native_code_and_holds_it_there() -> None:
    thread = fresh(program(code("<module>", 1, ("HALT",))))
    call, world = engine(PLAIN).procedure, thread.world.address
    assert call("leave", thread.address) == 0
    assert thread.record.get("state") == NATIVE
    assert call("stop_world", world) == 0
    back = call("reenter", thread.address)
    assert back != 0
    call("start_world", world)
    assert call("reenter", thread.address, resume=back) == 0
    assert thread.record.get("pending") == STOP  # the hint stays; the next site finds nothing to wait for


# ---- what has no machine code

WAITS = "wait(t.operation.cas(NOTHING, ASKED))"
REFUSED = {
    "a requester's local across a wait": (
        "requester.py", "handshake", WAITS, f"before = t.state.load()\n    {WAITS}\n    t.state.store(before)",
        r"requester\.py:\d+: handshake waits with before in its target's record, .*write instead: read it again",
    ),
    "a coordinator's local before it has the lock": (
        "requester.py", "stop_world", "def stop_world() -> None:",
        "def stop_world() -> None:\n    before = world.stop.load()\n    wait(world.lock.load() == 0)\n    world.stop.store(before)",
        r"requester\.py:\d+: stop_world waits with before in the world's record, before it has the lock",
    ),
    "a requester's result": (
        "requester.py", "awaken", "t.wake.publish(1)", "t.wake.publish(1)\n    return 1",
        r"requester\.py:\d+: awaken returns a value in a record that may be another thread's .*t: Me",
    ),
    "a parameter that no caller gives": (
        "requester.py", "awaken", "def awaken(t: Thread)", "def awaken(t: Thread, how: int)",
        r"awaken takes 1 parameters beside its record, handlers and the host give 0 \(write instead: 0, or change",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_text_that_machine_code_cannot_have_is_refused_with_place_and_remedy(name: str, tmp_path: Path) -> None:
    file, procedure, old, new, said = REFUSED[name]
    good = next(path for path in files() if path.name == file).read_text(encoding="utf-8")
    assert old in good
    bad = tmp_path / file
    bad.write_text(good.replace(old, new, 1), encoding="utf-8")
    paths = [bad if path.name == file else path for path in files()[:-1]]
    made = compile_graph(Text(tuple(paths)), procedure, Instance(threads=None))
    with pytest.raises(ProtocolCodeError, match=said):
        add_procedure(ir.Module(), made, hooked=False)


def test_a_wait_without_a_guard_is_found_by_what_it_does() -> None:
    """A procedure that comes back to a load waits there; a loop over the threads, or one that tries to swap again, does not."""
    instance, text = Instance(threads=None), Text()
    waiting = {name for name in PROCEDURES if compile_graph(text, name, instance).looks}
    assert waiting == {"handshake"}
    made = compile_graph(text, "handshake", instance)
    assert [made.steps[number].source for number in made.looks] == ["now = t.operation.load()"]
