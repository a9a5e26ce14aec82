"""What this interpreter would install of a program: compiled code as it lies in memory, asked whether it asks.

Each function is compiled and installed as in a run in which it gets hot, in a world of one thread that is never entered.  Then its machine code is
walked (`tier.walk`), a request is posted by the text's own `post`, and it is walked again: a way that then leads to the slow path is a
check, at the instruction at which that says it stands.  So what the requester writes is judged together with what the code reads.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence

from safepoint.conform.target import NotOffered
from safepoint.differential.installing import Installing
from safepoint.guest.code import BACK_EDGES, Code, Instruction, Program
from safepoint.guest.distance.installed import Goes, Installed, InstalledCode
from safepoint.guest.values import Function
from safepoint.guest.verifier import successors
from safepoint.protocol import trigger_file
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import INTERRUPT
from safepoint_vm.generate.engine import Engine, Variant, engine
from safepoint_vm.generate.procedures import ProtocolCodeError
from safepoint_vm.handlers.shared.checks import DISPATCHED, MECHANISMS
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.mutated import made
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld
from safepoint_vm.tier.install import Tier, compiling, fits
from safepoint_vm.tier.loops import loops_of
from safepoint_vm.tier.memory import CODE_BYTES, MOST
from safepoint_vm.tier.stitch import Stitcher
from safepoint_vm.tier.walk import DIRECT, FALLS, INTERPRETED, SLOW, Place, Unread, Walk, Way

STACK = 64  # slots
OVERWRITTEN = "by a jump that requests overwrite"
SUCCESSORS = ("next", "jump")
"""Ways to another instruction; the others lead to cold code."""


class FoldedInstalling(Installing):
    """The `Installing` half of the interpreter's target."""

    @classmethod
    def as_installed(cls, program: Program, policy: Policy, mutant: str = "") -> Installed:
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            return Installed(why_not="machine code is made for Linux x86-64 only")
        if policy.trigger not in MECHANISMS:
            return Installed(
                why_not=f"nothing is compiled, as the interpreter has no checks for trigger {trigger_file(policy.trigger).stem}"
            )
        if policy.trigger not in DISPATCHED:
            by = trigger_file(policy.trigger).stem
            return Installed(
                why_not=f"nothing is compiled, as no back-edge is dispatched through a table (trigger {by})"
            )
        if not fits(program):
            return Installed(why_not=f"nothing is compiled, as a function has more than {MOST:,} instructions")
        try:
            built = engine(compiling(Variant(policy=policy, mutant=mutant)))
        except ProtocolCodeError as refused:
            raise NotOffered(f"mutant {mutant}: {refused}") from None
        codes: dict[int, InstalledCode] = {}
        left: dict[int, str] = {}
        try:
            for batch in _batches(program, built.variant.loops):
                World(built, program).read(batch, codes, left)
        except OSError as error:
            return Installed(why_not=f"nothing can be compiled here: {error}")
        return Installed(codes, left)


def _batches(program: Program, loops: int) -> Iterator[list[int]]:
    """All functions, in batches each of which has no more than `loops` back-edges; a function with more is alone in one."""
    batch: list[int] = []
    used = 0
    for number, code in enumerate(program.codes):
        needs = len(loops_of(code))
        if batch and used + needs > loops:
            yield batch
            batch, used = [], 0
        batch.append(number)
        used += needs
    yield batch


class World:
    """A world whose one thread is never in guest code, and the program in it."""

    def __init__(self, built: Engine, program: Program) -> None:
        self.engine, self.program = built, program
        self.tier = made(Tier, built)(built)
        context = self.tier.make_templates()
        assert context is not None  # a tier without `tell` raises what is wrong
        self.context = context
        self.image = Image(built, program, self.tier)
        self.world = made(GuestWorld, built)(built, SMALLEST)
        self.guest = self.world.add(self._thread)

    def _thread(self, record: object) -> GuestThread:
        return GuestThread(self.engine, self.image, self.image.globals(), self.world.heap, STACK)

    def read(self, batch: Sequence[int], codes: dict[int, InstalledCode], left: dict[int, str]) -> None:
        """Install these functions, and look at them.  left: those for which there is no room, to why."""
        sizes = {number: self.install(number) for number in batch}
        codes.update((number, self.look(number, size)) for number, size in sizes.items() if size)
        why = f"no room: what is compiled of a program has {CODE_BYTES:,} bytes"
        left.update((number, why) for number in batch if not sizes[number])

    def install(self, number: int) -> int:
        """Returns the bytes of its machine code; 0: there is no room."""
        before = self.tier.memory.next
        self.tier.install(self._pc(number), [self.guest.record], self.world.record)
        return self.tier.memory.next - before

    def look(self, number: int, size: int) -> InstalledCode:
        """Read a function that is installed, and read it again with a request pending."""
        record, procedure = self.guest.record, self.engine.procedure
        walk = Walk(self.engine, self.context.templates, self.tier.memory, self.tier.loaded(self._pc(number)), record)
        stitcher = Stitcher(self.context, walk.code, walk.text.address, {})
        reader = Reader(walk, stitcher.fits)
        procedure("slow_path", self.guest.address)  # OWNER-RESTORES: nothing is asked
        real = record.get("limit")
        reader.read()
        procedure("post", self.guest.address, INTERRUPT)
        reader.read()
        return reader.code(size, record.get("limit") == record.get("limit_poison") != real, self.tier.loops)

    def _pc(self, number: int) -> int:
        code = self.program.codes[number]
        return self.image.start_of(Function(number, code.name, code.parameters))


class Reader:
    """Reads one function twice: as it is, and with a request pending.  fits: whether there is a template for an instruction's operands."""

    def __init__(self, walk: Walk, fits: Callable[[Instruction], bool]) -> None:
        self.walk, self.fits = walk, fits
        self.reached = _reached(walk.code)
        self._read: list[tuple[dict[int, list[Way]], dict[int, list[Place]]]] = []
        self.wrong: list[tuple[int, str]] = []

    def read(self) -> None:
        """As it is now."""
        ways: dict[int, list[Way]] = {}
        outside: dict[int, list[Place]] = {}
        for number in self.reached:
            try:
                if number in self.walk.bodies:
                    ways[number] = list(self.walk.ways(number))
                outside[number] = [self.walk.dispatched(number)[0], self.walk.entered(number)[0]]
            except Unread as error:
                self.wrong.append((number, f"compiled code cannot be read: {error}"))
            if self.walk.is_fused_with_loop(number) and self.walk.is_alone(number) != bool(self._read):
                self.wrong.append(
                    (number, "the entry of a superinstruction that ends in a back-edge is not what was asked")
                )
        self._read.append((ways, outside))

    def code(self, size: int, poisoned: bool, loops: int) -> InstalledCode:
        """What it is, after both.  poisoned: whether a request poisons the limit.  loops: entries for back-edges."""
        (ways, outside), (asked, outside_asked) = self._read
        code, goes, pushes = self.walk.code, dict[int, list[Goes]](), set[int]()
        checks = {number: self._checks(number, outside, outside_asked) for number in self.reached}
        for number in ways:
            for way, then in zip(ways[number], asked.get(number, ()), strict=False):
                if way.of in SUCCESSORS:
                    goes.setdefault(way.number, []).append(self._goes(way, then))
                elif way.place.handler == "slow_push" and code.instructions[way.number].op == "CALL" and poisoned:
                    pushes.add(way.number)
        compiled = {way.number for each in ways.values() for way in each} | self.walk.bodies.keys()
        for number in self.reached:  # the interpreter may execute any of them: in cold code, and for the host
            goes.setdefault(number, []).extend(
                Goes(to, checks.get(to, False), INTERPRETED) for to in successors(code, number)
            )
        comes = tuple(Goes(n, checks[n], INTERPRETED) for n in self.reached if code.instructions[n].op in BACK_EDGES)
        left = {n: self._why(n, loops) for n in self.reached if n not in compiled}
        return InstalledCode(
            size,
            {number: tuple(dict.fromkeys(each)) for number, each in sorted(goes.items())},
            comes,
            frozenset(pushes),
            left,
            tuple(dict.fromkeys(self.wrong)),
        )

    def _checks(self, number: int, quiet: Mapping[int, list[Place]], asked: Mapping[int, list[Place]]) -> bool:
        """Is an instruction come to from outside by a check?"""
        places = quiet.get(number, []), asked.get(number, [])
        if any(place != Place(number) for place in places[0]):
            self.wrong.append((number, "the interpreter does not come to the instruction that it dispatches"))
        if all(place == Place(number, SLOW) for place in places[1]):
            return bool(places[1])
        if self.walk.code.instructions[number].op not in BACK_EDGES and places[0] != places[1]:
            self.wrong.append((number, "a request leads elsewhere from an instruction that is no check"))
        return False

    def _why(self, number: int, loops: int) -> str:
        """Why an instruction of a function that is compiled is not."""
        code = self.walk.code
        if code.instructions[number].op in BACK_EDGES and len(loops_of(code)) > loops:
            return f"compiled code has entries for {loops} back-edges, and the function has more"
        if self.fits(code.instructions[number]):
            self.wrong.append((number, "it is not compiled, although it could be"))
        return "an operand is too large for its template"

    def _goes(self, way: Way, asked: Way) -> Goes:
        """What one way is, from where it leads without a request and with one."""
        to = way.place.number
        if way.place.handler:
            self.wrong.append((way.number, f"compiled code goes on in {way.place.handler}, though nothing is asked"))
        if asked.place == Place(to, SLOW):
            return Goes(to, True, OVERWRITTEN if way.how in (DIRECT, FALLS) else way.how)
        if asked.place != way.place:
            self.wrong.append((way.number, f"with a request compiled code goes on elsewhere: {asked.place}"))
        return Goes(to, False, way.how)


def _reached(code: Code) -> list[int]:
    """The instructions that can be come to."""
    todo, seen = [0, *(handler.target for handler in code.handlers)], set[int]()
    while todo:
        if (number := todo.pop()) not in seen:
            seen.add(number)
            todo += successors(code, number)
    return sorted(seen)
