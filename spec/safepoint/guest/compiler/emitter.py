"""Emits the code of one function: instructions, jump labels, slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from safepoint.guest.code import (
    BACK_EDGES,
    NEVER_NEXT,
    OPCODES,
    SITES,
    STRAIGHT,
    Code,
    FunctionConstant,
    Handler,
    Instruction,
    Program,
)
from safepoint.guest.compiler.source import Located, Source

TOO_MUCH = {
    "slot": ("too many variables and intermediate values in one function", "several functions"),
    "count": ("too many arguments", "several calls"),
    "jump": ("a jump that is too far: the loop or branch is too long", "a part of its body as a function"),
    "constant": ("too many constants", "a smaller program"),
    "global": ("too many global names", "a smaller program"),
    "name": ("too many local names", "a smaller program"),
}
"""Kind of operand -> the error when one is out of range, and what to write instead."""


@dataclass(eq=False)
class Label:
    """A position in the code, known once the label is placed.  straight: as the `Emitter`'s, of the jumps there so far."""

    position: int = -1
    straight: int = 0


@dataclass
class Pending:
    """An instruction whose jump target may not be known yet."""

    op: str
    operands: tuple[int | Label, ...]
    node: Located
    augmented: bool = False


@dataclass(frozen=True)
class Protected:
    """A `Handler` whose target may not be known yet."""

    start: int
    end: int
    handler: Label
    slot: int


ENDS = ("RELEASE", "UNMASK", "UNWINDS", "UNWOUND", "RERAISE")
"""Opcodes with no POLL before them: what it raised would end a section without them, or take the place of a TERMINATE.  (Where a handler
is looked for, an UNWINDS comes before the POLL.)"""
SLACK = 16
"""Instructions without a POLL that the code behind each cover of a handler may begin with: none keeps a cleanup from beginning."""

Constant = int | float | str | FunctionConstant


@dataclass
class Tables:
    """What the functions of a program share; a dictionary numbers its keys in the order of their first use."""

    source: Source
    codes: list[Code] = field(default_factory=list)
    constants: dict[tuple[str, Constant], int] = field(default_factory=dict)
    globals: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)

    def add(self, code: Code) -> int:
        """Add a function's code.  Returns the number of the constant that is the function; the module is code 0."""
        self.codes.append(code)
        return self.constant(FunctionConstant(len(self.codes)))

    def constant(self, value: Constant) -> int:
        """The number of a constant.  1 and 1.0 are equal, and so are 0.0 and -0.0, but they are different constants."""
        return self.constants.setdefault((repr(value), value), len(self.constants))

    def program(self, module: Code) -> Program:
        tables = tuple(value for _, value in self.constants), tuple(self.globals), tuple(self.names)
        return Program(self.source.file, self.source.text, (module, *self.codes), *tables)


class Emitter:
    """The slots of a frame are a stack: parameters, locals, then temporaries.  top: the first free slot."""

    def __init__(self, tables: Tables, variables: dict[str, int]) -> None:
        self.tables = tables
        self.variables = variables
        self.top = self.slots = len(variables)
        self.pending: list[Pending] = []
        self.protected: list[Protected] = []
        self.last_label = -1
        self.sought: int | None = None  # the slot of an exception whose handler is being looked for
        self.straight = (
            SLACK  # instructions since the last of SITES, at most, on any way here; the prologue leaves as many
        )

    @property
    def covers(self) -> list[Label]:
        """The handlers that are in force here."""
        return []

    @property
    def depth(self) -> int:
        """How deep in covers of handlers this is."""
        return 0

    def emit(self, node: Located, op: str, *operands: int | Label, augmented: bool = False) -> None:
        if self.straight >= max(SLACK, STRAIGHT - SLACK * (1 + self.depth)) and op not in (*ENDS, *SITES):
            if self.sought is not None:
                self.emit(node, "UNWINDS", self.sought)
            self.pending.append(Pending("POLL", (), node))
            self.straight = 0
        self.pending.append(Pending(op, operands, node, augmented))
        targets = [operand for operand in operands if isinstance(operand, Label)]
        reached = 0 if op in BACK_EDGES else self.straight + 1
        for label in (*targets, *self.covers):
            label.straight = max(label.straight, reached)
        self.straight = 0 if op in (*SITES, *NEVER_NEXT) else reached

    def place(self, label: Label) -> None:
        label.position = self.last_label = len(self.pending)
        self.straight = max(self.straight, label.straight)

    def allocate(self, count: int = 1) -> int:
        """The first of `count` adjacent slots; setting `top` back frees them."""
        first = self.top
        self.top += count
        self.slots = max(self.slots, self.top)
        return first

    def distance(self, label: Label) -> int:
        """The operand of a jump to a placed label, if that jump is the next instruction, or a POLL and then it."""
        return label.position - len(self.pending) - 2

    def ended(self) -> bool:
        """Whether the end of the code is unreachable: the last instruction leaves, and no label is placed behind it."""
        left = ("RETURN", "RAISE", "RERAISE")
        return bool(self.pending) and self.pending[-1].op in left and self.last_label < len(self.pending)

    def code(self, name: str, parameters: tuple[str, ...], line: int, prologue: Sequence[Pending] = ()) -> Code:
        """The code emitted so far, behind a prologue without jumps.  Jumps are relative, so the prologue changes none."""
        polled = list(prologue)
        for number in range(len(prologue) // SLACK * SLACK, 0, -SLACK):
            polled.insert(number, Pending("POLL", (), prologue[0].node))
        first = [self._resolve(0, p) for p in polled]
        others = (self._resolve(number, p) for number, p in enumerate(self.pending))
        handlers = (
            Handler(p.start + len(first), p.end + len(first), p.handler.position + len(first), p.slot)
            for p in self.protected
        )
        return Code(name, parameters, self.slots, (*first, *others), line, tuple(handlers))

    def _resolve(self, number: int, pending: Pending) -> Instruction:
        operands = tuple(o.position - number - 1 if isinstance(o, Label) else o for o in pending.operands)
        for operand, value in zip(OPCODES[pending.op].operands, operands, strict=True):
            if not operand.low <= value <= operand.high:
                raise self.tables.source.error(pending.node, *TOO_MUCH[operand.kind])
        return Instruction(pending.op, operands, pending.node.lineno, pending.augmented)
