"""What is read of installed code: of every program what its bytecode says; and what a mistake in the code, or in who asks, makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from safepoint.differential.corpus import corpus
from safepoint.guest.code import BACK_EDGES, Instruction, Program
from safepoint.guest.distance.flow import Flow
from safepoint.guest.distance.installed import UNCHECKED_CYCLE, Installed, Judged, back_edges, judge
from safepoint.guest.distance.measure import declared, distance_of
from safepoint.guest.verifier import BadCode, verify
from safepoint.protocol.policies import CPYTHON, FOLDED, PATCHED
from safepoint.protocol.policy import Policy
from safepoint_vm import installed
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.installed import OVERWRITTEN, FoldedInstalling, World
from safepoint_vm.language.records import JUMPS, LOOPS
from safepoint_vm.tier.install import compiling
from safepoint_vm.tier.memory import CodeMemory
from safepoint_vm.tier.stitch import NOPS
from safepoint_vm.tier.template import CONSTANTS
from safepoint_vm.tier.templates import is_operand
from safepoint_vm.tier.walk import INTERPRETED, JUMP, TABLE, THROUGH_TABLE, Walk, is_jump, padding
from tests.generated.mutated import damaged
from tests.generated.programs import programs as programs_of_text
from tests.generated.threads import threaded
from tests.guest.compiling import compiled

UNDER = {policy.name: policy for policy in (FOLDED, PATCHED)}
EXAMPLES = max(12, settings().max_examples // 10)
SAMPLE, ALL = 8, pytest.param(1, marks=pytest.mark.nightly)
"""Of n programs, or bytes, one."""


def programs(every: int) -> dict[str, Program]:
    return {guest.name: compiled(guest.source) for guest in corpus()[::every]}


def judged(program: Program, policy: Policy = FOLDED, mutant: str = "") -> Judged:
    return of(program, FoldedInstalling.as_installed(program, policy, mutant), policy)


def of(program: Program, found: Installed, policy: Policy = FOLDED) -> Judged:
    flow = Flow(program)
    return judge(flow, policy, found, distance_of(flow, policy))


@pytest.mark.parametrize("every", [SAMPLE, ALL])
@pytest.mark.parametrize("policy", UNDER)
def test_the_compiled_code_of_a_program_is_as_its_bytecode(policy: str, every: int) -> None:
    """Every function of the corpus is compiled, each of its back-edges is a check, and no way is longer."""
    left: set[str] = set()
    how: set[str] = set()
    for name, program in programs(every).items():
        found = judged(program, UNDER[policy])
        assert (name, found.differences) == (name, ())
        assert found.distance is not None
        bytecode = declared(distance_of(Flow(program), UNDER[policy]), UNDER[policy])
        for measure, length in found.distance.measures.items():
            its = bytecode.measures[measure]
            assert (name, measure, length.length, length.per_frame) == (name, measure, its.length, its.per_frame)
        assert found.installed.codes.keys() == set(range(len(program.codes)))
        for number, made in found.installed.codes.items():
            left.update(f"{name}: {program.codes[number].instructions[at].op}" for at in made.left)
            how.update(each.how for ways in back_edges(program.codes[number], made).values() for each in ways)
    assert left <= {"int_edges: LOADK"}  # of numbers that fit in no hole
    assert how == {INTERPRETED, TABLE if policy == "folded" else OVERWRITTEN}


@pytest.mark.timeout(1200)  # nightly
@settings(max_examples=EXAMPLES)
@given(
    program=st.one_of(programs_of_text().map(compiled), threaded().map(compiled), damaged(), damaged(threads=True)),
    policy=st.sampled_from(sorted(UNDER)),
)
def test_the_compiled_code_of_a_random_program_is_as_its_bytecode(program: Program, policy: str) -> None:
    """With threads, too, and code that no compiler makes, as far as the verifier lets it through."""
    try:
        verify(program)
    except BadCode:
        assume(False)
    assert judged(program, UNDER[policy]).differences == ()


LOOPING = "def f(n):\n    x = 0\n    while x < n:\n        x += 1\n    return x\nf(9)\n"
MISTAKES = {
    "compiled-loop-jumps-straight": "folded",
    "compiled-loop-unpoisoned": "folded",
    "poison-in-the-base-table": "folded",
    "code-forgotten": "patched",
}


@pytest.mark.rule("POISON-EVERY-WORD")
@pytest.mark.parametrize("mutant", MISTAKES)
def test_a_loop_that_no_request_reaches_is_seen(mutant: str) -> None:
    """Whether the code goes past the check, or a requester does not write what the code reads."""
    found = judged(compiled(LOOPING), UNDER[MISTAKES[mutant]], mutant)
    said = {(each.line, each.what) for each in found.differences}
    assert (3, UNCHECKED_CYCLE) in said
    assert (3, "back-edges unbounded as compiled, 1 as bytecode: a loop without a check") in said
    assert found.distance is not None
    assert found.distance.measures["instructions"].length is None


@pytest.mark.parametrize("every", [SAMPLE, ALL])
def test_a_compiler_that_jumps_straight_is_seen_wherever_there_is_a_loop(every: int) -> None:
    for name, program in programs(every).items():
        found = judged(program, mutant="compiled-loop-jumps-straight")
        loops = any(back_edges(program.codes[number], made) for number, made in found.installed.codes.items())
        assert (name, found.holds) == (name, not loops)


# ---------------------------------------------------------------------------------------------- byte by byte

BYTES = "def f(a):\n    return a\nx = 0\nfor i in range(9):\n    if i < 5:\n        x = f(i) + len([i])\nprint(x)\n"


def world_of(program: Program, policy: Policy = FOLDED) -> World:
    return World(engine(compiling(Variant(policy=policy))), program)


def walk_of(world: World, number: int) -> Walk:
    loaded = world.tier.loaded(world._pc(number))
    return Walk(world.engine, world.context.templates, world.tier.memory, loaded, world.guest.record)


def executed(walk: Walk) -> Iterator[int]:
    """The addresses of the bytes that are executed or that jumps read: all but what operands' holes hold, and padding."""
    behind = 0
    for number, body in walk.bodies.items():
        unit = walk.unit(number)
        size = len(unit.template.code) if unit.end is None else unit.end - body
        operands = {
            hole.at + each
            for hole in unit.template.holes
            if not is_jump(unit.template, hole) and (is_operand(hole.name) or hole.name == CONSTANTS)
            for each in range(8 if hole.kind == "long" else 4)
        }
        yield from (body + at for at in range(size) if at not in operands)
        behind = body + size
        for jump, length in ((JUMP, 5), (THROUGH_TABLE, 7)):
            if unit.end is not None and unit.end not in walk._at and walk._read(unit.end).startswith(jump):
                yield from range(unit.end, unit.end + length)
                behind = unit.end + length
    at = -(-behind // 16) * 16  # cold code
    while (code := walk._read(at)) and code[0]:
        length = 7 if code.startswith(THROUGH_TABLE) else 12
        yield from range(at, at + length)
        at += length


@pytest.mark.parametrize("every", [SAMPLE, ALL])
@pytest.mark.parametrize("policy", UNDER)
def test_each_byte_of_compiled_code_that_is_changed_is_noticed(policy: str, every: int) -> None:
    program = compiled(BYTES)
    world = world_of(program, UNDER[policy])
    size, memory, changed = world.install(0), world.tier.memory, 0
    assert of(program, Installed({0: world.look(0, size)}), UNDER[policy]).holds
    flow = Flow(program)
    bytecode = distance_of(flow, UNDER[policy])
    for at in list(executed(walk_of(world, 0)))[::every]:
        (before,) = memory.read(at, 1)
        memory.overwrite(at, bytes([before ^ 0x15]))
        made = world.look(0, size)
        assert not judge(flow, UNDER[policy], Installed({0: made}), bytecode).holds, f"{at - memory.code:#x}"
        memory.overwrite(at, bytes([before]))
        changed += 1
    assert of(program, Installed({0: world.look(0, size)}), UNDER[policy]).holds
    assert changed > 300 / every


def test_padding_is_known_by_its_length() -> None:
    for length, code in enumerate(NOPS):
        assert padding(bytes.fromhex(code) + b"\xe9\x00\x00\x00\x00") == length
    assert padding(b"\x0f\xaf\xc0") == padding(b"") == padding(b"\x0f\x1f") == 0


@pytest.mark.rule("POISON-EVERY-WORD")
@pytest.mark.parametrize(("name", "code"), [("THROUGH_TABLE", b"\x41\xff\xa6"), ("PLACE", b"\x4c\x8d\x2d")])
def test_code_that_uses_another_register_is_not_taken_for_right(
    name: str, code: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"safepoint_vm.tier.stitch.{name}", code)
    found = judged(compiled(LOOPING))
    assert any(
        each.what.startswith("compiled code cannot be read: it leads to code that is not known")
        for each in found.differences
    )


@pytest.mark.rule("POISON-EVERY-WORD")
def test_a_return_into_a_back_edge_is_asked_for() -> None:
    """A call as the last of a loop's body: it comes back to the back-edge, by what stands beside it."""
    program = compiled("def f():\n    return 0\ndef g():\n    while True:\n        f()\n")
    (number,) = (number for number, code in enumerate(program.codes) if code.name == "g")
    world = world_of(program)
    size = world.install(number)
    assert of(program, Installed({number: world.look(number, size)})).holds
    walk = walk_of(world, number)
    (loop,) = (at for at, each in enumerate(walk.code.instructions) if each.op in BACK_EDGES)
    assert walk.code.instructions[loop - 1].op == "CALL"
    walk.beside[loop] = walk.bodies[loop]
    found = of(program, Installed({number: world.look(number, size)}))
    assert [(each.line, each.what) for each in found.differences if "outside" in each.what] == [
        (4, "a way to a back-edge does not check: from outside the function, by the interpreter")
    ]


def test_a_frame_push_is_no_check_where_no_request_poisons_the_limit() -> None:
    program = compiled("def f():\n    return 0\nf()\n")
    world = world_of(program)
    size = world.install(0)
    world.guest.record.set("limit_poison", world.guest.record.get("limit"))
    found = of(program, Installed({0: world.look(0, size)}))
    assert (3, "a frame push does not check") in {(each.line, each.what) for each in found.differences}


# ---------------------------------------------------------------------------------------------- what is left out


@pytest.mark.parametrize(("policy", "most"), [("folded", LOOPS), ("patched", JUMPS)])
def test_back_edges_beyond_the_entries_are_named(policy: str, most: int) -> None:
    loops = "".join("    for i in range(3):\n        t += i\n" for _ in range(most + 3))
    program = compiled(f"def f():\n    t = 0\n{loops}    return t\nf()\n")
    found = judged(program, UNDER[policy])
    assert found.holds
    (number,) = (number for number, code in enumerate(program.codes) if code.name == "f")
    left = found.installed.codes[number].left
    assert {program.codes[number].instructions[at].op for at in left} == {"FOR_RANGE"}
    assert {*left.values()} == {f"compiled code has entries for {most} back-edges, and the function has more"}
    assert len(left) == 3


def test_functions_are_judged_with_entries_of_their_own() -> None:
    """More back-edges than there are entries, in functions that have each fewer."""
    loops = "".join("    for i in range(3):\n        t += i\n" for _ in range(LOOPS - 1))
    program = compiled("".join(f"def f{n}():\n    t = 0\n{loops}    return t\n" for n in range(3)))
    found = judged(program)
    assert found.holds
    assert {number: len(made.left) for number, made in found.installed.codes.items()} == dict.fromkeys(range(4), 0)


def test_where_nothing_is_compiled_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    program = compiled("x = 1\n")
    assert judged(program, CPYTHON).installed.why_not == (
        "nothing is compiled, as no back-edge is dispatched through a table (trigger flag)"
    )
    own = replace(PATCHED, name="v0.py:OWN", trigger="somewhere/v0.py")
    assert judged(program, own).installed.why_not == (
        "nothing is compiled, as the interpreter has no checks for trigger v0"
    )
    room = property(lambda memory: 0 if memory._instructions else 1 << 22)  # until the program is loaded
    monkeypatch.setattr(CodeMemory, "room", room)
    found = judged(program)
    assert found.installed.left == {0: "no room: what is compiled of a program has 4,194,304 bytes"}
    assert (found.distance, found.holds) == (None, True)
    monkeypatch.setattr(installed, "fits", lambda _: False)
    assert "more than 131,072 instructions" in judged(program).installed.why_not
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    assert judged(program).installed.why_not == "machine code is made for Linux x86-64 only"


def test_an_operand_that_fits_in_no_hole_is_named() -> None:
    program = compiled(f"x = {2**29}\n")
    (made,) = judged(program).installed.codes.values()
    assert [(program.codes[0].instructions[at], why) for at, why in made.left.items()] == [
        (Instruction("LOADK", (0, 2**29), 1), "an operand is too large for its template")
    ]
