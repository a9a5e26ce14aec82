"""Our linker and loader against LLVM's own: the same code, the same targets; and what they refuse."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from itertools import count, takewhile
from pathlib import Path

import llvmlite.binding as llvm
import pytest
from llvmlite import ir

from safepoint.protocol.policies import POLICIES
from safepoint_vm.cores.build import cores_engine
from safepoint_vm.generate.code_image import MappedCode, address_of
from safepoint_vm.generate.engine import PLAIN, Engine, Variant, engine
from safepoint_vm.generate.linker import DISTANCES, LinkError, link, write
from safepoint_vm.generate.object_code import prepare_llvm, target_machine
from safepoint_vm.generate.procedures import PROCEDURES
from tests.impl.machine_code import functions, object_files
from tests.impl.object_file import Relocation, functions_of

VARIANTS = (
    PLAIN,
    Variant(traced=True),
    Variant(profiled=True),
    Variant(hooked=True, counting=True),
    Variant(policy=POLICIES["hotspot"]),
    Variant(mutant="back-edge-swallows"),
)
STUB, NEAR = b"\xff\x25", 4
"""`jmp *distance(%rip)`, and the bytes of a distance."""
CONSTANT = 8
"""Bytes of a constant, at least."""


def by_llvm(files: list[bytes]) -> tuple[object, dict[str, int]]:
    """The owner of the code as LLVM's own loader has it, and the addresses of its functions."""
    code = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    for file in files:
        code.add_object_file(llvm.ObjectFileRef.from_data(file))
    code.finalize_object()
    return code, {name: code.get_function_address(name) for file in files for name in functions_of(file)}


def target(place: int, what: Relocation, addresses: Mapping[str, int], sizes: Mapping[str, int]) -> object:
    """What the distance at an address leads to: a function and how far in it; a table of jumps, as places in functions; a constant; or else
    a function of the C library.
    """
    at = place + NEAR + ctypes.c_int32.from_address(place).value
    if found := function_at(at, addresses, sizes):
        return found
    if what.symbol == ".rodata":
        jumps = (at + ctypes.c_int32.from_address(at + NEAR * number).value for number in count())
        return list(takewhile(bool, (function_at(jump, addresses, sizes) for jump in jumps)))
    if what.symbol.startswith((".rodata", ".LC")):
        return ctypes.string_at(at, CONSTANT)
    assert ctypes.string_at(at, len(STUB)) == STUB
    word = at + len(STUB) + NEAR + ctypes.c_int32.from_address(at + len(STUB)).value
    return ctypes.c_uint64.from_address(word).value


def function_at(address: int, addresses: Mapping[str, int], sizes: Mapping[str, int]) -> tuple[str, int] | None:
    """The function there, and how far in it."""
    return next(((name, address - at) for name, at in addresses.items() if 0 <= address - at < sizes[name]), None)


@pytest.mark.parametrize(
    "variant", VARIANTS, ids=lambda v: f"{v.policy.name} {v.traced} {v.profiled} {v.hooked} {v.mutant}"
)
def test_the_code_in_memory_is_what_llvms_own_loader_makes_of_the_object_files(variant: Variant) -> None:
    """Function by function: the same bytes between the relocations, and each relocation leads to the same place."""
    files = object_files(variant)
    _owner, theirs = by_llvm(files)
    ours = MappedCode(link(files))
    assert set(theirs) <= set(ours.addresses)
    every = {name: function for file in files for name, function in functions_of(file).items()}
    sizes = {name: len(function.code) for name, function in every.items()}
    mine = {name: ours.addresses[name] for name in theirs}
    relocated = 0
    for name, function in every.items():
        one, other = (bytearray(ctypes.string_at(where[name], sizes[name])) for where in (mine, theirs))
        for each in function.relocations:
            relocated += 1
            assert target(mine[name] + each.offset, each, mine, sizes) == target(
                theirs[name] + each.offset, each, theirs, sizes
            ), (name, each)
            for code in (one, other):
                code[each.offset : each.offset + NEAR] = bytes(NEAR)
        assert one == other, name
    assert relocated > 300


def calls(built: Engine) -> dict[tuple[str, str], tuple[int, int]]:
    """The distances that lead from a handler to a procedure, by both their names: where each is, and what it adds."""
    return {
        (name, relocation.symbol): (built.addresses[name] + relocation.offset, relocation.addend)
        for name, function in functions(built).items()
        for relocation in function.relocations
        if name not in PROCEDURES and relocation.symbol in PROCEDURES
    }


def test_handlers_call_the_procedures_directly() -> None:
    """Where the code runs, each of their calls goes to the procedure itself, not to a stub."""
    found = calls(engine(PLAIN))
    assert {symbol for _, symbol in found} == {"push_failed", "slow_path", "mask", "unmask", "unwound"}
    for (name, symbol), (place, addend) in found.items():
        distance = ctypes.c_int32.from_address(place).value
        assert place + distance - addend == engine(PLAIN).addresses[symbol], name


def test_an_image_runs_wherever_it_lies() -> None:
    """Two copies in one process: their code is the same to the byte, so no address is in it."""
    image = link(object_files(PLAIN))
    one, other = MappedCode(image), MappedCode(image)
    assert one.addresses["ADD"] != other.addresses["ADD"]
    for code in (one, other):
        base = code.addresses["ADD"] - image.symbols["ADD"]
        assert ctypes.string_at(base, len(image.code)) == image.code
        for name, place in image.externals.items():
            assert ctypes.c_uint64.from_address(base + place).value == address_of(name)
    assert set(image.externals) == {"fmod", "pow"}


def test_code_is_not_written_and_what_is_written_is_no_code() -> None:
    image = link(object_files(Variant(policy=POLICIES["guard_page"])))
    code = MappedCode(image)
    base = code.addresses["ADD"] - image.symbols["ADD"]
    assert rights(base) == rights(base + len(image.code) - 1) == "r-x"
    assert "w" in rights(base + len(image.code))
    assert "x" not in rights(base + len(image.code))


def rights(address: int) -> str:
    """What the system lets this process do there."""
    with Path("/proc/self/maps").open() as maps:
        for line in maps:
            span, allowed, *_ = line.split()
            first, end = (int(each, 16) for each in span.split("-"))
            if first <= address < end:
                return allowed[:3]
    raise AssertionError(f"{address:#x} is mapped")


def test_code_of_real_cores_is_one_image_too() -> None:
    built = cores_engine()
    spread = max(built.addresses.values()) - min(built.addresses.values())
    assert spread < 1 << 20


def object_file_of(name: str, calls: str, model: str = "pic") -> bytes:
    """An object file with one function, which calls another, or reads a variable of that name by its address."""
    prepare_llvm()
    module = ir.Module(name)
    kind = ir.FunctionType(ir.IntType(64), [])
    function, other = ir.Function(module, kind, name), ir.Function(module, kind, calls)
    build = ir.IRBuilder(function.append_basic_block())
    build.ret(build.call(other, []) if model == "pic" else build.ptrtoint(other, ir.IntType(64)))
    function.section = f".text.{name}"
    parsed = llvm.parse_assembly(str(module))
    target = llvm.Target.from_default_triple().create_target_machine(reloc=model, codemodel="small")
    return target.emit_object(parsed)


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(LinkError, match="both: two object files define it"):
        link([object_file_of("both", "f"), object_file_of("both", "g")])


def test_an_address_in_the_code_is_refused() -> None:
    """The code of a compiler that was not told that code must run anywhere."""
    with pytest.raises(LinkError, match=r"a relocation of kind \d+ \(this linker knows: 2, 4, 24\)"):
        link([object_file_of("mine", "f", model="static")])


def test_a_function_that_no_library_has_is_refused() -> None:
    image = link([object_file_of("mine", "no_such_function")])
    with pytest.raises(OSError, match="the C library has no function no_such_function"):
        MappedCode(image)


def test_a_distance_that_does_not_fit_is_refused() -> None:
    code = bytearray(16)
    for distance in (-(1 << 31), (1 << 31) - 1):
        write(code, 4, 4, distance)
        assert DISTANCES[4].unpack_from(code, 4) == (distance,)
    for distance in (-(1 << 31) - 1, 1 << 31):
        with pytest.raises(OverflowError, match="too far for the small code model"):
            write(code, 4, 4, distance)
