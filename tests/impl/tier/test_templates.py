"""Templates: what they cost, what their holes are, and what is refused."""

from __future__ import annotations

import pytest

from safepoint.guest.code import BACK_EDGES, OPCODES
from safepoint.guest.operations.builtins import BUILTINS
from safepoint.protocol.policies import CPYTHON
from safepoint_vm.generate.engine import Variant
from safepoint_vm.generate.instruction import operand_types
from safepoint_vm.generate.linker import LinkError
from safepoint_vm.generate.object_code import optimized, target_machine
from safepoint_vm.handlers.fused import FUSED
from safepoint_vm.handlers.table import opcodes
from safepoint_vm.language import machine
from safepoint_vm.language.records import LOOPS
from safepoint_vm.tier import templates as making
from safepoint_vm.tier.template import COLD, CONSTANTS, HOLE, Templates, packed, template_name, unpacked
from safepoint_vm.tier.templates import templates

COMPILES = Variant(loops=LOOPS)


@pytest.fixture(scope="module")
def made() -> Templates:
    return templates(COMPILES)


def names() -> set[str]:
    found = {each.name for each in FUSED if not each.loops} | {*OPCODES} - {"BUILTIN"}
    return found | {template_name("BUILTIN", number) for number in range(len(BUILTINS))}


def test_there_is_one_for_each_opcode_and_superinstruction(made: Templates) -> None:
    assert set(made.of) == names()
    assert unpacked(packed(made)) == made


def test_compiled_code_costs_nothing(made: Templates) -> None:
    """Byte for byte and hole for hole, the templates are those of an engine that knows no protocol."""
    assert made == templates(Variant(protocol=False, loops=LOOPS))


def test_the_same_comparison_sees_a_check() -> None:
    """Of a policy that has one: so it can fail."""
    checked, plain = templates(Variant(policy=CPYTHON)), templates(Variant(protocol=False))
    assert {name for name in plain.of if plain.of[name] != checked.of[name]} == {*BACK_EDGES} | {
        name for name in plain.of if "CALL" in name.split("_and_")
    }


def test_holes_have_the_names_of_operands(made: Templates) -> None:
    """So an operand is found by the name that the opcode table gives it."""
    for name, handler in opcodes().items():
        assert [operand.name for operand in OPCODES[name].operands] == [*operand_types(handler)], name
    for name, template in made.of.items():
        ops = name.partition(".")[0].split("_and_")
        for hole in template.holes:
            match hole.name.split("."):
                case ["hole", "pc" | "next" | "jump"] | ["constants"]:
                    pass
                case ["hole", number, operand]:
                    op = ops[int(number)].rstrip("_0123456789")
                    assert operand in [each.name for each in OPCODES[op].operands], (name, hole)
                case ["cold", number, _]:
                    assert int(number) < len(ops), (name, hole)
                case _:
                    assert not hole.name.startswith((HOLE, COLD, CONSTANTS)), (name, hole)


def test_what_cannot_be_patched_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operand whose range LLVM does not know may become a distance, which nothing is near enough for."""
    monkeypatch.setattr(making, "is_operand", lambda name: name.startswith(HOLE))
    with pytest.raises(LinkError, match=r"hole\.\w+ has a relocation of kind"):
        templates(COMPILES)


def test_a_table_of_addresses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """LLVM makes one of the builtins, if the template does not know which one it is for."""
    monkeypatch.setattr(machine, "Builtin", type("Other", (), {}))
    monkeypatch.setattr(making, "object_file", lambda part: target_machine().emit_object(optimized(part)))
    with pytest.raises(LinkError, match="read a table of addresses"):
        templates(COMPILES)
