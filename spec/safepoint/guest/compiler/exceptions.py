"""Compiles `try`, `with`, `raise` and `assert`, and the cleanup on every way out of a `try` or `with`.

The statements inside a `try` are a `Block`: code that a handler covers, with a cleanup.  `return`, `break` and `continue` run
the cleanups of the blocks that they leave, innermost first, each outside its own handler's cover.  So the code of a `finally`
is emitted at every way out of its `try`, as in CPython.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from safepoint.guest.code import UNSET
from safepoint.guest.compiler.emitter import Label, Protected, Tables
from safepoint.guest.compiler.expressions import ExpressionCompiler
from safepoint.guest.compiler.names import SMALL_CODE
from safepoint.guest.compiler.source import Located
from safepoint.guest.faults import EXCEPTIONS


@dataclass
class Loop:
    """The loop around a statement.  depth: the number of blocks around the loop.  breaks: `assigned` at each `break`."""

    test: Label
    end: Label
    depth: int
    breaks: list[frozenset[str]] = field(default_factory=list)


@dataclass(eq=False)
class Block:
    """slot: for the exception, if `handler` catches one from `start` on.  loop, handling: what surrounds the cleanup.

    depth: a larger one than that of the code behind it, on any way out.
    """

    handler: Label
    slot: int
    cleanup: Callable[[], None] | None
    start: int
    loop: Loop | None
    handling: int | None
    depth: int


class ExceptionCompiler(ExpressionCompiler):
    """handling: the slot of the exception that the innermost surrounding handler has caught."""

    loop: Loop | None = None
    handling: int | None = None

    def __init__(self, tables: Tables, variables: dict[str, int], parameters: Iterable[str]) -> None:
        super().__init__(tables, variables, parameters)
        self.blocks: list[Block] = []  # those around this point, outermost first

    @abstractmethod
    def block(self, statements: list[ast.stmt]) -> None: ...

    @abstractmethod
    def store(self, target: ast.expr, slot: int) -> None: ...

    @property
    def depth(self) -> int:
        return self.blocks[-1].depth if self.blocks else 0

    @property
    def covers(self) -> list[Label]:
        return [block.handler for block in self.blocks]

    def unreachable(self) -> None:
        self.assigned = frozenset(self.variables)

    # -- blocks

    @contextmanager
    def protect(
        self, handler: Label, slot: int, cleanup: Callable[[], None] | None = None, deeper: int = 1
    ) -> Iterator[None]:
        block = Block(handler, slot, cleanup, len(self.pending), self.loop, self.handling, self.depth + deeper)
        self.blocks.append(block)
        yield
        self.uncover(block)
        self.blocks.remove(block)

    def uncover(self, block: Block) -> None:
        if block.start < len(self.pending):
            self.protected.append(Protected(block.start, len(self.pending), block.handler, block.slot))

    @contextmanager
    def way_out(self, depth: int) -> Iterator[None]:
        """Emit the cleanups of all blocks but the `depth` outermost; the body of this `with` emits the jump."""
        left, loop, handling = self.blocks[depth:], self.loop, self.handling
        for block in reversed(left):
            self.uncover(block)
            self.blocks.pop()
            if block.cleanup:
                self.loop, self.handling = block.loop, block.handling
                block.cleanup()
        yield
        self.blocks += left
        self.loop, self.handling = loop, handling
        for block in left:
            block.start = len(self.pending)

    # -- try

    @contextmanager
    def always(self, node: Located, cleanup: Callable[[], None], inside: Sequence[ast.AST]) -> Iterator[None]:
        """Emit the cleanup on every way out of the statements `inside`, which the body of this `with` compiles."""
        slot, handler, end = self.allocate(), Label(), Label()
        known = self.assigned - unset_by(inside)
        with self.protect(handler, slot, cleanup, deeper=2):  # than the cleanup inside `terminating`
            yield
        cleanup()
        self.emit(node, "JUMP", end)
        after, self.assigned = self.assigned, known
        self.place(handler)
        handling, self.handling = self.handling, slot
        with self.terminating(node, slot):
            cleanup()
        self.handling = handling
        self.place(end)
        self.assigned = after

    @contextmanager
    def terminating(self, node: Located, slot: int) -> Iterator[None]:
        """A cleanup that runs because of the exception in `slot`, which is raised again at its end: a TERMINATE also where the
        cleanup is left by a jump, a return or another exception.
        """
        handler, other = Label(), self.allocate()
        with self.protect(handler, other, lambda: self.emit(node, "UNWINDS", slot)):
            yield
        self.emit(node, "RERAISE", slot)
        self.place(handler)
        self.emit(node, "UNWINDS", slot)
        self.emit(node, "RERAISE", other)

    def try_statement(self, node: ast.Try) -> None:
        if not node.finalbody:
            self.try_except(node)
            return
        inside = [*node.body, *node.handlers, *node.orelse]
        with self.always(node.finalbody[-1], lambda: self.block(node.finalbody), inside):
            if node.handlers:
                self.try_except(node)
            else:
                self.block(node.body)

    def with_statement(self, node: ast.With) -> None:
        """`with lock:`, `with masked():` or `with terminable():`; RELEASE or UNMASK is emitted on every way out."""
        if len(node.items) > 1 or node.items[0].optional_vars:
            raise self.error(node, "with is for one lock, without as, or for masked() or terminable()", "with lock:")
        context = node.items[0].context_expr
        if isinstance(context, ast.Call) and self.imports(context.func, "terminable"):
            self.count(context, "terminable", 0, 0)
            self.terminable(node)
            return
        kept, last = self.with_begins(node, context)
        with self.always(node, lambda: self.emit(node, last, kept), node.body):
            self.block(node.body)

    def terminable(self, node: ast.With) -> None:
        """A TERMINATE unwinds to the end of the statements, and no further."""
        slot, handler, end = self.allocate(), Label(), Label()
        known = self.assigned - unset_by(node.body)
        with self.protect(handler, slot):
            self.block(node.body)
        self.emit(node, "JUMP", end)
        self.place(handler)
        self.emit(node, "UNWOUND", slot)
        self.place(end)
        self.assigned = known

    def with_begins(self, node: ast.With, context: ast.expr) -> tuple[int, str]:
        """Begin a `with`.  Returns the slot and the opcode that end it."""
        if isinstance(context, ast.Call) and self.imports(context.func, "masked"):
            self.count(context, "masked", 0, 0)
            inside = self.allocate()
            self.emit(node, "MASK", inside)
            return inside, "UNMASK"
        lock = self.push(context)  # the variable may get another value inside
        self.emit(node, "ACQUIRE", lock, augmented=True)
        return lock, "RELEASE"

    def try_except(self, node: ast.Try) -> None:
        slot, handler, end = self.allocate(), Label(), Label()
        known = self.assigned - unset_by(node.body)
        with self.protect(handler, slot):
            self.block(node.body)
        self.block(node.orelse)
        self.emit(node, "JUMP", end)
        after = self.assigned
        self.place(handler)
        for clause in node.handlers:
            self.assigned = known
            other = Label()
            self.catch(clause, slot, other)
            self.handler(clause, slot)
            self.emit(clause, "JUMP", end)
            after &= self.assigned
            self.place(other)
        self.emit(node, "RERAISE", slot)
        self.place(end)
        self.assigned = after

    def catch(self, clause: ast.ExceptHandler, slot: int, other: Label) -> None:
        """Fall through if the exception is of one of the clause's classes, else jump to `other`.  No class: all of Python's."""
        every = ast.copy_location(ast.Name("BaseException", ast.Load()), clause)
        classes = clause.type.elts if isinstance(clause.type, ast.Tuple) else [clause.type or every]
        found, matches, self.sought = Label(), self.allocate(), slot
        for kind in classes:
            if not (isinstance(kind, ast.Name) and self.pythons(kind, *EXCEPTIONS)):
                raise self.error(kind, "except takes classes of Python's exceptions", "except ValueError:")
            self.emit(kind, "MATCHES", matches, slot, EXCEPTIONS.index(kind.id))
            self.emit(kind, "TRUE_JUMP", matches, found)
        self.emit(clause, "JUMP", other)
        self.sought = None
        self.place(found)

    def handler(self, clause: ast.ExceptHandler, slot: int) -> None:
        """Compile a clause's body; its name, if any, has a value only there."""
        handling, self.handling = self.handling, slot
        if clause.name is None:
            self.block(clause.body)
        else:
            name = ast.copy_location(ast.Name(clause.name, ast.Store()), clause)
            self.store(name, slot)
            with self.always(clause, lambda: self.unset(name), clause.body):
                self.block(clause.body)
        self.handling = handling

    def unset(self, name: ast.Name) -> None:
        slot = self.allocate()
        self.emit(name, "LOADK", slot, SMALL_CODE[repr(UNSET)])
        self.store(name, slot)
        self.assigned -= {name.id}
        self.top = slot

    # -- raise

    def raise_statement(self, node: ast.Raise) -> None:
        if node.cause:
            raise self.error(node.cause, "raise … from is outside the guest's language", "raise without from")
        if node.exc is None:
            if self.handling is None:
                raise self.error(node, "raise without an exception stands only in an except", "raise ValueError(…)")
            self.emit(node, "RERAISE", self.handling)
        elif isinstance(node.exc, ast.Name) and self.pythons(node.exc, *EXCEPTIONS):
            self.emit(node, "RAISE", self.exception(node.exc, node.exc.id, []))
        else:
            self.emit(node, "RAISE", self.value(node.exc))
        self.unreachable()

    def assert_statement(self, node: ast.Assert) -> None:
        holds = Label()
        self.branch(node.test, holds, when=True)
        known = self.assigned
        slot = self.exception(node.test, "AssertionError", [node.msg] if node.msg else [])
        self.emit(node, "RAISE", slot)
        self.assigned = known
        self.place(holds)


def unset_by(statements: Iterable[ast.AST]) -> frozenset[str]:
    """The names that handlers in these statements assign an exception to and unset at their end."""
    inside = (node for statement in statements for node in ast.walk(statement))
    return frozenset(node.name for node in inside if isinstance(node, ast.ExceptHandler) and node.name)
