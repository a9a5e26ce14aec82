"""Run the phases of a campaign, and count exactly what must hold in every order.

All requesters run on OS threads of their own, in machine code; the guest's threads, too, but for what needs the host (births,
ends, exceptions, locks, collections), where they hold the GIL.  The main thread waits.
"""

from __future__ import annotations

import io
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from safepoint.differential.cores import CoresRun, Tell
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import FURTHER, Bound, Policy
from safepoint.protocol.words import ENDED
from safepoint_vm.cores.build import CoresEngine, cores_engine
from safepoint_vm.cores.counting import Staying, add_tallies, histogram
from safepoint_vm.cores.phases import ENDLESS, Phase, Requester
from safepoint_vm.cores.plan import BUCKETS, UNBOUNDED, Plan
from safepoint_vm.cores.races import names_of
from safepoint_vm.cores.tally import first_place, graphs
from safepoint_vm.cores.world import CoresVm
from safepoint_vm.language.layout import Record
from safepoint_vm.threads.os_thread import OsThread

PATIENCE = 100_000
"""Checks after which a request that was not taken is lost: five orders of magnitude beyond the bound."""
SLACK = 128
"""By how many checks a count may be behind that another core reads.  Each check stores its count, and a store buffer has fewer
entries than that (AMD Zen 4: 64, Intel Golden Cove: 112)."""
NEVER = (1 << 62) - 1
"""Turns of waiting between two offers of the core to others, less one, in a duel.  The operating system ends its time anyway; and
a side that gives way on a busy machine comes back when the other's time is over, so that the two never meet."""
AIMED = 8
"""Accesses of a procedure at which posts are aimed: of the slow path, all up to the take."""
GIVE_UP = 1 << 30
"""Turns of waiting: minutes."""
GRACE = 30.0
"""Seconds that anything may take to end, beyond its time; then it is stuck."""
MUTANT_GRACE = 2.0
"""The same for a mutant, which ends as soon as something is wrong."""
ABANDONED: list[CoresVm] = []
"""VMs whose threads did not end: of mutants, or after a failure."""
LOOK = 0.005
"""Seconds between two looks of the main thread."""


class Running:
    """A requester's loop on an OS thread of its own.  `bound`: beyond which it counts a request as seen late."""

    def __init__(
        self,
        engine: CoresEngine,
        requester: Requester,
        vm: CoresVm,
        rounds: int,
        seed: int,
        bound: Bound = FOLDED.declared,
    ) -> None:
        self.plan = Record(Plan)
        settings = {"first": 0, "pause": 255, "often": NEVER, "patience": PATIENCE, "slack": SLACK, "give_up": GIVE_UP}
        settings |= {"world": vm.world.address, "rounds": rounds, "seed": seed}
        for kind, most in bound.of_kinds().items():
            word = "elsewhere" if kind in FURTHER else kind  # a policy has one of these at most
            settings[word] = most if isinstance(most, int) else settings.get(word, UNBOUNDED)
        if requester.aim:
            mutant, trigger = engine.variant.mutant, engine.policy.trigger
            settings["aim"] = first_place(mutant, requester.aim, trigger) + 1
            settings["aims"] = min(AIMED, len(graphs(mutant, trigger)[requester.aim].steps))
        settings |= requester.settings
        for name, value in settings.items():
            self.plan.set(name, value)
        self.requester = requester
        loop = engine.loop(requester.loop)
        self.thread = threading.Thread(target=loop, args=(self.plan.address,), name=requester.loop, daemon=True)
        self.thread.start()

    def halt(self) -> None:
        self.plan.set("halt", 1)


class Campaign:
    """`mutant`: of the text, compiled in; then the run ends as soon as something is wrong.  `policy`: where and how threads check.

    Errors: as `cores_engine`.
    """

    def __init__(self, mutant: str = "", seed: int = 0, policy: Policy = FOLDED) -> None:
        self.mutant, self.until_wrong, self.policy = mutant, bool(mutant), policy
        self.grace = MUTANT_GRACE if mutant else GRACE
        self.rng = random.Random(seed)
        self.run = CoresRun(slack=SLACK, races=Counter(dict.fromkeys(names_of(policy.trigger), 0)))
        self.histograms: dict[str, list[int]] = {}

    def phases(self, phases: Sequence[Phase], requests: int, seconds: float, tell: Tell | None = None) -> CoresRun:
        """Run them in turn: at least `requests` requests, if there is time.  The rounds of the last one's first requester make up for what is missing."""
        began = time.perf_counter()
        cycles = self._cycles()
        for phase in phases:
            missing = requests - self.run.requests if phase is phases[-1] else 0
            self._phase(phase, requests, missing, phase.time * seconds, tell)
            if self.until_wrong and self.run.wrong:
                break
        rate = (self._cycles() - cycles) / (time.perf_counter() - began) / 1e6
        for name, counts in self.histograms.items():
            setattr(self.run, name, histogram(counts, rate))
        self.run.seconds = round(time.perf_counter() - began, 2)
        return self.run

    def _cycles(self) -> int:
        return int(cores_engine(self.mutant, policy=self.policy.name).loop("stamp")(0))

    def _phase(self, phase: Phase, requests: int, missing: int, seconds: float, tell: Tell | None) -> None:
        output = io.StringIO()
        engine = cores_engine(self.mutant, jitter=phase.jitter, policy=self.policy.name)
        vm = CoresVm(engine, compile_program(phase.source, f"<{phase.name}>"), output, self.rng, phase.period)
        cores = sorted(os.sched_getaffinity(0))
        here, there = ({cores[0]}, {cores[-1]}) if phase.duel else (set(cores), set(cores))
        with on_cores(here):
            main = vm.start()
        if phase.duel:
            self._await_birth(main)
        running: list[Running] = []
        bound = self.policy.with_period(phase.period).declared if phase.period else self.policy.declared
        with self._ended(vm, main, running):
            with on_cores(there):
                for requester in phase.requesters:
                    rounds = int(requests * requester.share) or ENDLESS
                    if requester is phase.requesters[0]:
                        rounds = max(rounds, missing)
                    running.append(Running(engine, requester, vm, rounds, self.rng.getrandbits(60), bound))
            self._await(running, seconds, missing, tell)
        add_tallies(self.run, self.mutant, vm.world)
        for each in running:
            self._add_plan(phase, each)

    def _await_birth(self, main: OsThread) -> None:
        """Until then every post would be void, and a whole phase may be over."""
        until = time.monotonic() + self.grace
        while main.guest.record.get("state") == ENDED and not main.done.is_set() and time.monotonic() < until:
            time.sleep(LOOK)

    def _await(self, running: list[Running], seconds: float, missing: int, tell: Tell | None) -> None:
        """Until all that have a number of rounds have done them, or the time is over and enough requests are made.

        Requesters that have no number of rounds run for the whole time.
        """
        began = time.monotonic()
        counted = [each for each in running if each.plan.get("rounds") != ENDLESS]
        over, done = 0.0, 0
        while any(each.thread.is_alive() for each in counted) or (len(counted) < len(running) and over < seconds):
            time.sleep(LOOK)
            done = sum(each.plan.get("done") for each in running)
            if tell:
                tell(self.run.requests + done)
            over = time.monotonic() - began
            if over > seconds and (done >= missing or over > seconds + self.grace):
                break
            if self.until_wrong and any(each.plan.get("lost") for each in running):
                break

    @contextmanager
    def _ended(self, vm: CoresVm, main: OsThread, running: list[Running]) -> Iterator[None]:
        """Afterwards end the requesters, then the guest, also after Control-C."""
        try:
            yield
        finally:
            for each in running:
                each.halt()
            self._join(vm, running)
            self.run.lost += self._undelivered(vm)
            vm.set_variable("go", 0)
            if not main.done.wait(self.grace):
                self.run.stuck += 1
                vm.__exit__()
                ABANDONED.append(vm)  # its threads may still run, in its memory
            else:
                main.outcome()
                vm.finish()

    def _join(self, vm: CoresVm, running: list[Running]) -> None:
        """Wait for the requesters.  One that waits for ever is stuck: it gives up, and the world's words are put right by hand."""
        until = time.monotonic() + self.grace
        for each in running:
            each.thread.join(max(0.0, until - time.monotonic()))
        stuck = [each for each in running if each.thread.is_alive() or each.plan.get("stuck")]
        self.run.stuck += len(stuck)
        if stuck:
            for each in running:
                each.plan.set("give_up", 0)
            for each in running:
                each.thread.join()  # it looks at `give_up` in each turn of each wait
            self._free(vm)

    def _free(self, vm: CoresVm) -> None:
        """Start the world, and let no requester wait for an operation: only after something was wrong."""
        for record in vm.world.records:
            record.set("operation", 0)
            vm.world.engine.procedure("poison", record.address)
            vm.world.engine.procedure("awaken", record.address)
        vm.world.record.set("stop", 0)
        vm.world.record.set("lock", 0)

    def _undelivered(self, vm: CoresVm) -> int:
        """No requester is left: what is pending and deliverable must be taken soon.  Returns how many requests were not.

        Soon: before the thread has executed PATIENCE further checks; of one that executes none, within `grace` seconds.
        """
        until = time.monotonic() + self.grace
        staying = Staying(vm.world, self.policy.base)
        while ages := staying.look():
            if time.monotonic() > until:
                return len(ages)
            if lost := sum(age > PATIENCE for age in ages):
                return lost
            time.sleep(LOOK)
        return 0

    def _add_plan(self, phase: Phase, each: Running) -> None:
        run, plan, loop = self.run, each.plan, each.requester.loop
        run.lost += plan.get("lost")
        run.beyond_bound += plan.get("beyond")
        run.later += plan.get("later")
        run.moved += plan.get("moved")
        run.worst = max(run.worst, plan.get("worst"))
        run.stops += plan.get("done") if loop == "stops" else 0
        run.handshakes += plan.get("done") if loop == "handshakes" else 0
        for name in ("void", "idle", "returning"):
            run.details[name] += plan.get(name)
        if loop == "stops":
            self._add_histogram("stopped_us", plan, "seen")
        if phase.measured:
            for name in ("entered", "seen", "served"):
                self._add_histogram(f"{name}_us", plan, name)

    def _add_histogram(self, name: str, plan: Record, row: str) -> None:
        counts = self.histograms.setdefault(name, [0] * BUCKETS)
        for index in range(BUCKETS):
            counts[index] += plan.get(row, index)


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """OS threads that are started inside run on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
