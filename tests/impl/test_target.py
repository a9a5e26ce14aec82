"""The interpreter as a target: stepped, posted to at every step and at every shared access, and never out of step."""

from __future__ import annotations

from itertools import count

import pytest

from safepoint.conform.target import INTERRUPT, STOP, GuestStuck, NotOffered, Observation
from safepoint.guest.code import BACK_EDGES, FunctionConstant
from safepoint.protocol.words import ENDED
from safepoint_vm.target import FoldedTarget
from tests.impl.building import code, program

LEAF = code("leaf", 4, ("ADD", 1, 0, 0), ("RETURN", 1), parameters=("x",))
MODULE = code(
    "<module>", 12,
    ("LOADK", 0, 0), ("LOADK", 1, 3), ("LOADK", 2, 0),              # i, n
    ("JUMP", 4),
    ("CONSTANT", 2, 0), ("MOVE", 5, 0), ("CALL", 2, 1),             # 4: leaf(i)
    ("ADDI", 0, 0, 1),
    ("LESS_JUMP_BACK", 0, 1, -5),                                   # 8
    ("PRINT", 0, 3),
    ("LOADK", 9, 0), ("LOADK", 6, 0), ("LOADK", 7, 2), ("LOADK", 8, 1),
    ("FOR_PREPARE", 6, 0), ("FOR_RANGE", 9, 6, -1),                 # 15
    ("PRINT", 9, 1), ("HALT",),
)  # fmt: skip
BUSY = program(MODULE, LEAF, constants=(FunctionConstant(1),))
STEPS = 3 + 1 + 1 + 3 * (3 + 2 + 1 + 1) + 1 + 4 + 1 + 3 + 1 + 1
TRIGGERS = {"limit": "real", **{f"entry[{i}]": "real" for i in range(len(BACK_EDGES))}}
QUIET = {
    **TRIGGERS,
    "pending": "0",
    "state": str(ENDED),
    "operation": "0",
    "stop": "0",
    "lock": "0",
}  # an ended thread is in no guest code


class Second:
    """A watcher that posts at one shared access.  `checks`: how many the guest had executed then."""

    def __init__(self, target: FoldedTarget, access: int, kind: str) -> None:
        self.target, self.left, self.kind = target, access, kind
        self.checks: int | None = None

    def __call__(self) -> None:
        self.left -= 1
        if self.left == -1:
            self.checks = checks(self.target.observe())
            self.target.post(self.kind)


@pytest.fixture
def target() -> FoldedTarget:
    made = FoldedTarget()
    made.load_program(BUSY)
    made.start()
    return made


def at(target: FoldedTarget, step: int) -> None:
    target.watch(None)
    target.start()
    assert step == 0 or target.step(step)


def run(target: FoldedTarget) -> Observation:
    target.run()
    return target.observe()


def test_an_undisturbed_run_visits_every_site_and_enters_no_slow_path(target: FoldedTarget) -> None:
    end = run(target)
    assert (end.output, end.error, end.ended) == ("3 3 4\n1\n", "", True)
    assert (end.frames, end.back_edges, end.slow_entries) == (3, 4 + 3, 0)
    assert end.words == QUIET


def test_single_steps_are_instructions_and_end_as_a_free_run_does(target: FoldedTarget) -> None:
    end = run(target)
    target.start()
    steps = 1
    while target.step():
        steps += 1
    assert target.observe() == end
    assert steps == STEPS


@pytest.mark.parametrize("kind", [STOP, INTERRUPT])
def test_a_post_before_any_step_is_seen_at_the_next_check_of_either_kind(target: FoldedTarget, kind: str) -> None:
    plain = run(target)
    for step in range(STEPS):
        at(target, step)
        before = target.observe()
        target.post(kind)
        end = run(target)
        checks_left = plain.frames + plain.back_edges - before.frames - before.back_edges
        assert len(end.seen) == min(1, checks_left), step
        for seen in end.seen:
            assert (seen.frames - before.frames) + (seen.back_edges - before.back_edges) == 1
        if kind == STOP:
            assert (end.output, end.error, end.frames, end.back_edges) == (
                plain.output,
                "",
                plain.frames,
                plain.back_edges,
            )
        elif checks_left:
            assert end.error == "KeyboardInterrupt"
            assert end.traceback[-1].split(":")[0] == end.seen[0].site.split(":")[0]


def test_a_storm_of_stops_lets_the_guest_go_on(target: FoldedTarget) -> None:
    target.post(STOP)
    steps = 1
    while target.step():
        steps += 1
        target.post(STOP)
    end = target.observe()
    assert steps == STEPS
    assert end.output == "3 3 4\n1\n"
    assert len(end.seen) == end.slow_entries == end.frames + end.back_edges


def checks(seen_by: Observation) -> int:
    return seen_by.frames + seen_by.back_edges


@pytest.mark.parametrize("kind", [STOP, INTERRUPT])
def test_a_second_post_at_any_shared_access_is_seen_too(target: FoldedTarget, kind: str) -> None:
    """However the two fall together: an interrupt ends the guest, a stop never changes it, nothing is left behind."""
    plain, tried = run(target), 0
    for step in range(STEPS - 6):
        for access in count():
            at(target, step)
            second = Second(target, access, kind)
            target.watch(second)
            target.post(STOP)
            end = run(target)
            if second.checks is None or second.checks == checks(plain):
                break  # no such access, or no check left to see it
            assert end.error == ("KeyboardInterrupt" if kind == INTERRUPT else ""), (step, access)
            assert [s.kind for s in end.seen].count(INTERRUPT) == (kind == INTERRUPT), (step, access)
            assert [end.words[w] for w in ("state", "stop", "lock")] == [str(ENDED), "0", "0"], (step, access)
            assert kind == INTERRUPT or (end.output, checks(end)) == (plain.output, checks(plain)), (step, access)
            tried += 1
    assert tried > 400


def test_the_guest_may_run_while_a_post_is_under_way(target: FoldedTarget) -> None:
    """A step between any two accesses of a post: the post is still seen."""
    for access in range(2 + len(BACK_EDGES)):
        at(target, 3)
        left = access

        def go_on() -> None:
            nonlocal left
            left -= 1
            if left == -1:
                target.step(4)

        target.watch(go_on)
        target.post(INTERRUPT)
        assert run(target).error == "KeyboardInterrupt", access


def test_a_lost_post_is_lost_in_the_mutant_only(target: FoldedTarget) -> None:
    """take-before-restore: a post between the take and the last restore is forgotten."""

    def lost(of: FoldedTarget) -> int:
        failures = 0
        for access in range(2 + 2 * len(BACK_EDGES)):
            at(of, 3)
            of.post(STOP)
            of.watch(Second(of, access, INTERRUPT))
            failures += run(of).error != "KeyboardInterrupt"
        return failures

    broken = target.mutated("take-before-restore")
    broken.load_program(BUSY)
    assert lost(target) == 0
    assert lost(broken) > 0


def test_the_stack_overflows_for_real_whatever_is_posted(target: FoldedTarget) -> None:
    deep = code("deep", 4, ("CONSTANT", 0, 0), ("CALL", 0, 0), ("RETURN", 0))
    module = code("<module>", 4, ("CONSTANT", 0, 0), ("CALL", 0, 0), ("HALT",))
    target.load_program(program(module, deep, constants=(FunctionConstant(1),)), stack=40)
    target.start()
    plain = run(target)
    assert plain.error == "RecursionError"
    assert plain.frames == (40 - 4) // 3 + 1
    assert len(plain.traceback) == plain.frames
    for step in range(2 * plain.frames):
        at(target, step)
        target.post(STOP)
        end = run(target)
        assert (end.error, end.frames, len(end.seen)) == ("RecursionError", plain.frames, 1)


def test_a_callbacks_exception_comes_out_where_the_judge_called(target: FoldedTarget) -> None:
    class Mine(Exception):
        pass

    def fail() -> None:
        raise Mine

    target.step(3)
    target.post(STOP)
    target.watch(fail)
    with pytest.raises(Mine):
        target.run()
    assert target.ended
    target.watch(None)
    target.start()
    assert run(target).output == "3 3 4\n1\n"


def test_the_guest_cannot_be_stepped_from_inside_its_own_slow_path(target: FoldedTarget) -> None:
    target.step(3)
    target.post(INTERRUPT)

    def step() -> None:
        target.step()

    target.watch(step)
    with pytest.raises(GuestStuck, match="inside a procedure"):
        target.run()


def test_an_ended_guest_is_asked_for_nothing(target: FoldedTarget) -> None:
    end = run(target)
    target.post(INTERRUPT)
    target.post(STOP)
    assert target.step() is False
    assert target.observe() == end


def test_a_mutant_without_machine_code_is_not_offered() -> None:
    with pytest.raises(NotOffered, match=r"mutant post-waits-its-turn: requester\.py:"):
        FoldedTarget().mutated("post-waits-its-turn")
