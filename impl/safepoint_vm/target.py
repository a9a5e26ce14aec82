"""The interpreter as a target of the judge: guest threads in lockstep, driven step by step, all on one OS thread.

The engine is hooked and counts checks.  It is stepped through a second dispatch table, whose only handler counts down and
dispatches through the live table, which requesters poison.
"""

from __future__ import annotations

import ctypes

from safepoint.conform.target import GuestStuck, NotOffered, Observation, Seen
from safepoint.differential.mistakes import Mistake, Mistaken
from safepoint.differential.stepped import UNBOUNDED, GoOn, Stepped
from safepoint.guest.code import Program
from safepoint.guest.compiler import program as compiler
from safepoint.guest.lockstep import MAIN, QUANTUM
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy
from safepoint_vm.cores.offer import FoldedOnCores
from safepoint_vm.costs import FoldedCosts
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.generate.hooks import CHECK, HEARD, step_of
from safepoint_vm.generate.procedures import OWNED_BY_WORLD, ProtocolCodeError
from safepoint_vm.generate.triggers import shown, words_of
from safepoint_vm.installed import FoldedInstalling
from safepoint_vm.language.words import CLAIM_BITS
from safepoint_vm.memory.image import Image
from safepoint_vm.mutants import REGISTER
from safepoint_vm.schedules.offer import FoldedControlled
from safepoint_vm.switchable import FoldedSwitchable
from safepoint_vm.threads.lockstep import LockstepWorld
from safepoint_vm.tier.install import Tier

STEPPED_LOOPS = 16
"""Back-edges that compiled code may have here: each is a word more that a post writes, and that the hook is told of."""
HOOK = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)


class FoldedTarget(Stepped, FoldedOnCores, FoldedControlled, FoldedCosts, FoldedSwitchable, FoldedInstalling, Mistaken):
    """This interpreter.  `mutant`: of the protocol's text, or its own, compiled in; `stress`: every allocation collects; `quantum`:
    instructions in a thread's turn; `policy`: where and how it checks; `compiled`: every function is (`tier`).
    """

    name = "folded"

    def __init__(
        self,
        mutant: str = "",
        stress: bool = False,
        quantum: int = QUANTUM,
        policy: Policy = FOLDED,
        compiled: bool = False,
    ) -> None:
        self._stress, self._quantum, self.policy, self.bound = stress, quantum, policy, policy.declared
        loops = STEPPED_LOOPS if compiled else 0
        self._engine = engine(Variant(counting=True, hooked=True, mutant=mutant, policy=policy, loops=loops))
        self._hook = HOOK(self._hooked)  # an attribute, because ctypes does not keep it alive

    def mutated(self, mutant: str) -> FoldedTarget:
        self.must_compile(mutant)
        try:
            return FoldedTarget(mutant, self._stress, self._quantum, self.policy)
        except ProtocolCodeError as refused:
            raise NotOffered(f"mutant {mutant}: {refused}") from None

    def under(self, policy: Policy) -> FoldedTarget:
        return FoldedTarget(stress=self._stress, quantum=self._quantum, policy=policy)

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.load_program(compiler.compile_program(source, file), stack)

    def load_program(self, program: Program, stack: int = 4096) -> None:
        """As `load`, for compiled code.  BadCode: the verifier rejects it."""
        tier = Tier(self._engine, stepped=True) if self._engine.variant.loops else None
        self._image = Image(self._engine, program, tier)
        self._stack = stack
        alone = program.opcodes.isdisjoint(("START", "SLEEP"))
        self._turn = 2 * UNBOUNDED if alone else self._quantum

    def start(self) -> None:
        hook = ctypes.cast(self._hook, ctypes.c_void_p).value or 0
        self._world = LockstepWorld(self._engine, self._image, self._stack, self._stress, self._turn, hook)
        self._seen: list[Seen] = []
        self.stops = []
        self._advancing = False

    def mistakes(self) -> list[Mistake]:
        return [
            Mistake(name=m.name, what=m.what, like=m.like, swaps=m.swaps, by=m.by, rule=m.rule, program=m.program, case=m.case)
            for m in REGISTER
        ]  # fmt: skip

    # -- primitives of Stepped

    def request(self, procedure: str, *args: int, thread: int = MAIN) -> GoOn:
        owner = self._world.world if procedure in OWNED_BY_WORLD else self._world.threads[thread].guest
        status = 0

        def go_on() -> bool:
            nonlocal status
            status = self._world.call(procedure, owner.address, *args, resume=status)
            return status == 0

        return go_on

    def advance(self, count: int) -> int:
        if self._advancing:
            raise GuestStuck("a guest thread cannot be stepped from inside a procedure of one")
        self._advancing = True
        done = 0
        try:
            while done < count and (more := self._world.step(count - done)):
                done += more
            return done
        finally:
            self._advancing = False

    @property
    def seen(self) -> int:
        return len(self._seen)

    @property
    def living(self) -> list[int]:
        return [thread.number for thread in self._world.threads if not thread.over]

    def checks(self, thread: int = MAIN) -> dict[str, int]:
        frames, back_edges, elsewhere, _ = self._world.threads[thread].counts
        return {"frames": frames, "back_edges": back_edges, **self.policy.further(elsewhere)}

    # -- what the judge sees

    def observe(self) -> Observation:
        main = self._world.threads[MAIN].guest
        frames, back_edges, elsewhere, slow_entries = self._world.counts
        return Observation(
            ended=self.ended,
            output="".join(self._world.output),
            error=main.fault.kind if main.fault else "",
            traceback=tuple(f"{function}:{line}" for _, line, function in main.traceback()) if main.fault else (),
            frames=frames,
            back_edges=back_edges,
            further=self.policy.further(elsewhere),
            seen=tuple(self._seen),
            slow_entries=slow_entries,
            words=self._words(),
            others=tuple(self._world.uncaught),
            waiting=len(self.stops),
        )

    def _words(self) -> dict[str, str]:
        world = self._world.world.record
        words = {word: str(world.get(word)) for word in ("stop", "lock")}
        if (
            "code" in self.policy.words
        ):  # which all threads share; where nothing is compiled it is one word, and no jump
            held = {world.get("code_real"): "real", world.get("code_poison"): "poison"}
            idle = world.get("idle")
            words["code[0]"] = held.get(idle, f"claim {idle >> 64 - CLAIM_BITS & (1 << CLAIM_BITS) - 1}")
        for thread in self._world.threads:
            record, prefix = thread.guest.record, f"{thread.number}." if thread.number else ""
            for trigger in words_of(self.policy):
                words[prefix + trigger.word] = shown(trigger, self.policy, record)
            words |= {prefix + word: str(record.get(word)) for word in ("pending", "state", "operation")}
        return words

    # -- callbacks from machine code: no exception may cross it

    def _hooked(self, record: int, what: int, word: int, _a: int, _b: int) -> int:
        """Called before each shared access, and where the text says that a request is served (see `generate.hooks`)."""
        if self._world.error is not None:
            return 0
        try:
            if what >= 0:
                if step_of(what)[0] != CHECK:  # in lockstep a check is one piece, as it is on the reference machine
                    self.watching()
            elif HEARD[-what] in ("served", "ran"):
                self._served(record, REQUESTS[word])
        except BaseException as error:  # noqa: BLE001  -- re-raised where machine code was entered
            self._world.failed(error)
        return 0

    def _served(self, address: int, kind: str) -> None:
        thread = next(thread for thread in self._world.threads if thread.guest.address == address)
        site = "" if thread.over else str(thread.guest.code_address())
        frames, back_edges, elsewhere, _ = thread.counts
        further = self.policy.further(elsewhere)
        self._seen.append(Seen(kind, site, frames, back_edges, thread.number, further))
