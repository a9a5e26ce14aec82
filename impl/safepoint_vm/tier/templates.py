"""Make templates of compiled code: each handler, and each superinstruction that does not end in a back-edge, with holes for its operands, for
its place, and for what it goes on in.  `tier.stitch` copies and patches them; no LLVM is needed for that.

The handlers are the unchanged ones.  A hole is a symbol that no object file defines: LLVM puts it where the value goes, and the relocation
says where that is.

    hole.NUMBER.OPERAND    an operand of the instruction with this number in the template; of a slot, its distance from the frame in bytes
    hole.pc                the address of the template's first instruction
    hole.next, hole.jump   what the last one goes on in
    cold.NUMBER.HANDLER    code that sets pc to that of the instruction, and goes on in the handler

What a template does rarely is a jump to such cold code, so that it is short; pc is in no register, because only cold code needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from safepoint.guest.code import OPCODES
from safepoint.guest.operations.builtins import BUILTINS
from safepoint_vm.generate import instruction
from safepoint_vm.generate.assembler import TAGGED
from safepoint_vm.generate.compiler import Following, FunctionCompiler, Switches
from safepoint_vm.generate.instruction import HANDLER, I8, I64, POINTER
from safepoint_vm.generate.ir_values import CALLING_CONVENTION, IrValue
from safepoint_vm.generate.linker import RELOCATION, RELOCATIONS, TEXT, LinkError, Section, Symbol, sections, symbols
from safepoint_vm.generate.object_code import object_file
from safepoint_vm.generate.parts import handlers_of
from safepoint_vm.generate.substitutes import LinkingCompiler
from safepoint_vm.generate.variant import Variant
from safepoint_vm.handlers.fused import FUSED
from safepoint_vm.handlers.table import opcodes
from safepoint_vm.language import machine
from safepoint_vm.tier.template import (
    BOUND,
    COLD,
    CONSTANTS,
    DISTANCE,
    HOLE,
    INDEXES,
    JUMPED,
    KINDS,
    NEXT,
    PLACE,
    Hole,
    Template,
    Templates,
    template_name,
)

WORD_BITS = 3
"""A number of words, shifted left by this, is one of bytes."""


class HoleCompiler(FunctionCompiler):
    """Compiles a handler as a template.  `number`: of its instruction in the template."""

    compiler: TemplateCompiler

    def __init__(
        self,
        compiler: TemplateCompiler,
        function: Callable[..., Any],
        target: ir.Function,
        then: Following = (),
        before: FunctionCompiler | None = None,
    ) -> None:
        super().__init__(compiler, function, target, then, before)
        self.number: int = before.number + 1 if isinstance(before, HoleCompiler) else 0

    def decode(self, **known: IrValue) -> None:
        """Its operands are holes, and so is its pc."""
        pc = instruction.following(self.builder, self.symbol(PLACE), I64(self.number))
        self.registers["pc"] = IrValue(pc, self.registers["pc"].type)
        holes = {name: self.hole(name, kind) for name, kind in instruction.operand_types(self.function).items()}
        super().decode(**{**holes, **known})

    def hole(self, name: str, kind: type) -> IrValue:
        """What stands for an operand."""
        symbol = f"{HOLE}{self.number}.{name}"
        if kind is machine.Builtin:
            assert self.compiler.builtin is not None
            word: ir.Value = I64(self.compiler.builtin)
        elif issubclass(kind, INDEXES):
            word = self.builder.ashr(self.absolute(symbol, 0, BOUND), I64(WORD_BITS), flags=["exact"])
        elif issubclass(kind, TAGGED):
            word = self.absolute(symbol, -BOUND, BOUND)
        else:  # it may be 0, and be compared with that; LLVM takes no symbol for 0
            word = self.builder.asm(ir.FunctionType(I64, []), f"movl $${symbol}, ${{0:k}}", "=r", [], False)
        return IrValue(word, kind)

    def absolute(self, name: str, least: int, below: int) -> ir.Value:
        """A symbol whose value is a number in this range.  (Where LLVM does not know one, it may make a distance of it.)"""
        symbol, module = self.symbol(name), self.target.module
        if not symbol.metadata:
            symbol.set_metadata("absolute_symbol", module.add_metadata([I64(least), I64(below)]))
        return self.builder.ptrtoint(symbol, I64)

    def symbol(self, name: str) -> ir.GlobalVariable:
        module = self.target.module
        if name not in module.globals:
            made = ir.GlobalVariable(module, I8, name)
            made.storage_class = "hidden"  # where IR has the visibility: it is addressed directly
        found: ir.GlobalVariable = module.globals[name]
        return found

    # -- the ways to leave it

    def go_to(self, name: str) -> None:
        """Go on in code that a symbol names, which sets pc if it needs that."""
        module = self.target.module
        if name not in module.globals:
            ir.Function(module, HANDLER, name).calling_convention = CALLING_CONVENTION
        self.go(module.globals[name], pc=ir.Constant(POINTER, ir.Undefined))

    def next(self) -> None:
        if self.then:
            super().next()
        else:
            self.go_to(NEXT)

    def jump(self, offset: ir.Value) -> None:  # a template has one hole for where its instruction jumps to
        self.go_to(JUMPED)

    def enter(self, target: ir.Value, frame: ir.Value) -> None:
        if self.compiler.stepped:
            super().enter(target, frame)
        else:
            self.go(instruction.compiled(self.builder, target), pc=target, frame=frame)

    def go_on_in(self, handler: Callable[..., Any]) -> None:
        self.go_to(f"{COLD}{self.number}.{handler.__name__}")


class TemplateCompiler(LinkingCompiler):
    """Compiles templates; what they call it declares.  `stepped`: as `install.Tier`."""

    builtin: int | None = None
    """What an operand of that kind is in the template that is being compiled."""

    def __init__(self, module: ir.Module, switches: Switches, *, stepped: bool) -> None:
        super().__init__(module, switches)
        self.stepped = stepped

    def body(self, function: Callable[..., Any], target: ir.Function, then: Following = ()) -> FunctionCompiler:
        return HoleCompiler(self, function, target, then)

    def template(self, function: Callable[..., Any]) -> None:
        """The template of an opcode: one for each builtin, if it has such an operand, so that it need not tell them apart."""
        kinds = instruction.operand_types(function).values()
        for self.builtin in range(len(BUILTINS)) if machine.Builtin in kinds else [None]:
            target = self._define(template_name(function.__name__, self.builtin), HANDLER)
            target.calling_convention = CALLING_CONVENTION
            self.body(function, target).compile_handler()


@dataclass(frozen=True)
class TemplateCode:
    """What decides the code of templates.  `switches`: as `parts.Handlers.switches`, in pairs; `stepped`: as `install.Tier`."""

    switches: tuple[tuple[str, bool | int | str], ...]
    stepped: bool

    def generate(self) -> ir.Module:
        """HandlerError: a handler cannot be compiled."""
        module, handlers = ir.Module("templates"), opcodes()
        compiler = TemplateCompiler(module, dict(self.switches), stepped=self.stepped)
        for name in OPCODES:
            compiler.template(handlers[name])
        for sequence in FUSED:
            if not sequence.loops:
                compiler.fused(sequence, handlers)
        return module


def templates(variant: Variant, *, stepped: bool = False) -> Templates:
    """The templates of a variant's handlers.  `stepped`: as `install.Tier`.

    LinkError: one refers to something in a way that cannot be patched.  HandlerError: as `TemplateCode.generate`.
    """
    found = sections(object_file(TemplateCode(tuple(handlers_of(variant).switches().items()), stepped)))
    named, constants, places = symbols(found), bytearray(), dict[int, int]()
    for number, section in enumerate(found):
        if section.is_loaded and not section.name.startswith(TEXT):
            constants += bytes(-len(constants) % section.alignment)
            places[number] = len(constants)
            constants += section.bytes
    for section in found:
        if section.type == RELOCATIONS and section.info in places:
            raise LinkError(f"templates read a table of addresses, {found[section.info].name}")
    made = {
        section.name.removeprefix(TEXT): Template(section.content, tuple(_holes(found, number, named, places)))
        for number, section in enumerate(found)
        if section.name.startswith(TEXT)
    }
    return Templates(bytes(constants), made)


def _holes(found: Sequence[Section], code: int, named: Sequence[Symbol], places: Mapping[int, int]) -> Iterator[Hole]:
    """The holes of the code in the section with this number.  `places`: number of a section -> where it lies in the constants."""
    for section in found:
        if section.type == RELOCATIONS and section.info == code:
            for offset, about, addend in RELOCATION.iter_unpack(section.content):
                symbol, kind = named[about >> 32], about & 0xFFFFFFFF
                if kind not in KINDS or (KINDS[kind] == DISTANCE and is_operand(symbol.name)):
                    raise LinkError(f"{found[code].name}: {symbol.name} has a relocation of kind {kind}")
                if not symbol.section:
                    yield Hole(offset, KINDS[kind], symbol.name, addend)
                elif symbol.section in places:
                    yield Hole(offset, KINDS[kind], CONSTANTS, places[symbol.section] + symbol.value + addend)
                else:
                    raise LinkError(f"{found[code].name}: refers to code of another template, {symbol.name}")


def is_operand(name: str) -> bool:
    """Does a hole stand for an operand?"""
    return name.startswith(HOLE) and name.count(".") > 1
