"""A guest thread: its words, its stack, its two dispatch tables, and the ways into machine code and out of it."""

from __future__ import annotations

from safepoint.guest import values
from safepoint.guest.faults import KEYBOARD_INTERRUPT, RECURSION, Fault
from safepoint.guest.faults import Place as Line
from safepoint.guest.values import Value
from safepoint_vm.encoding import SIZE
from safepoint_vm.engine import Engine
from safepoint_vm.image import Image, Place
from safepoint_vm.machine import Exited
from safepoint_vm.raising import fault_of
from safepoint_vm.words import TABLE_WORDS, Memory, Record, Thread

WAITS: dict[Exited, tuple[str, str]] = {
    Exited.PUSH_WAITS: ("push_failed", "after_push"),
    Exited.BACK_EDGE_WAITS: ("slow_path", "after_back_edge"),
}
"""Why machine code was left -> the procedure that waits, and the handler that goes on when it is through."""

ENDS = (Exited.FINISHED, Exited.FAULT, Exited.INTERRUPTED, Exited.OVERFLOWED)
RETURN_TO, CALLER = -2, -1  # the link below a frame, in words


class GuestThread:
    """Before its first instruction.  `stack`: slots of the guest's stack.  `world`: the record that its threads share."""

    def __init__(self, engine: Engine, image: Image, variables: Memory, world: Record, stack: int) -> None:
        self.engine, self.image = engine, image
        self.variables, self.world = variables, world
        self.record = Record(Thread)
        self.stack = Memory(max(stack, image.program.codes[0].slots))
        self.fault: Fault | None = None
        self.ended = False
        end = self.stack.address + 8 * stack
        for name, word in {
            "limit": end, "limit_real": end, "limit_poison": 0, "entry_poison": engine.addresses["slow_back_edge"],
            "world": world.address, "constants": image.constants.address, "globals": variables.address,
            "pc": image.start, "frame": self.stack.address,
        }.items():  # fmt: skip
            self.record.set(name, word)
        self.record.fill("table", engine.table)
        self.record.fill("base", engine.table)

    @property
    def address(self) -> int:
        """Of the record: what the protocol's procedures are given."""
        return self.record.address

    # -- into machine code

    def enter(self, handler: str = "begin", budget: int | None = None) -> Exited:
        """Run on the calling OS thread until machine code is left; `budget`: for so many instructions at most."""
        table = self.record.at("table") if budget is None else self.engine.stepping.address
        self.record.set("budget", max(budget or 0, 0))
        entry = self.engine.addresses[handler]
        self.engine.enter(entry, self.record.get("pc"), self.record.get("frame"), self.address, table)
        return Exited(self.record.get("status"))

    def abandon(self) -> None:
        """From inside a callback: make machine code stop at the next instruction, for good."""
        for number in range(TABLE_WORDS):
            self.record.set("table", self.engine.addresses["step"], number)
            self.record.set("base", self.engine.addresses["step"], number)
        self.record.set("budget", 0)
        self.ended = True

    def end(self, why: Exited) -> None:
        """Machine code was left for the last time."""
        self.ended = True
        match why:
            case Exited.INTERRUPTED:
                self.fault = KEYBOARD_INTERRUPT
            case Exited.OVERFLOWED:
                self.fault = RECURSION
            case Exited.FAULT:
                self.fault = fault_of(self.image.program, self.place().instruction, self.slot)

    def skip(self) -> None:
        """The host has executed the instruction: on to the next one."""
        self.record.set("pc", self.record.get("pc") + SIZE)

    # -- where it is

    def place(self) -> Place:
        return self.image.place(self.record.get("pc"))

    def slot(self, number: int) -> Value:
        """A slot of the frame in which machine code was left."""
        return self.image.value(self.stack[(self.record.get("frame") - self.stack.address) // 8 + number])

    def printed(self) -> str:
        """What the PRINT at which machine code was left prints."""
        first, count = self.place().instruction.operands
        return " ".join(values.text(self.slot(first + index)) for index in range(count)) + "\n"

    def traceback(self) -> tuple[Line, ...]:
        """Where it stands, outermost call first: (file, line, function)."""
        places = [self.place()]
        frame = (self.record.get("frame") - self.stack.address) // 8
        while frame > 0:
            places.append(self.image.place(self.stack[frame + RETURN_TO] - SIZE))
            frame = (self.stack[frame + CALLER] - self.stack.address) // 8
        file = self.image.program.file
        return tuple((file, place.instruction.line, place.code.name) for place in reversed(places))
