"""Samples of guest threads: what they stand for, where they are taken, and what becomes of those that there is no room for.

By allocation, and with samples asked for at fixed instructions, a run is the same every time.  By time it is not: see there.
"""

from __future__ import annotations

import io
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.profile import BYTES, CUT, MICROSECONDS, Every, Frame, Profile
from safepoint.protocol.words import MANAGED, NATIVE, SAMPLE
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.records import SERVED
from safepoint_vm.language.samples import HEAD
from safepoint_vm.language.tagged import even, signed
from safepoint_vm.language.words import HEAD_WORDS, LIST_WORDS
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.memory.image import Image
from safepoint_vm.threads import sampling
from safepoint_vm.threads.sampling import DEPTH, RING, Sampled, Sampler
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm, run
from safepoint_vm.threads.world import GuestWorld
from tests.impl.running import FILE, IMPORTS, STARTED
from tests.impl.waiting import soon

PROFILED = Variant(profiled=True)
PAIR = 8 * (LIST_WORDS + even(HEAD_WORDS + 2))
"""Bytes of `[i, i]`."""
NEAR = 0.03
"""How far a share may be from what is known."""
BY_TIME = Every(1_000, MICROSECONDS)
ASKED = 1_000_000
"""Nanoseconds that a sample stands for, where the test asks."""

PAIRS = """
def f(n):
    for i in range(n):
        found = [i, i]
def g(n):
    for i in range(n):
        found = [i, i]
"""
LOOPS = """
def f(n):
    i = 0
    while i < n:
        i = i + 1
def g(n):
    i = 0
    while i < n:
        i = i + 1
"""
DEEP = """
def rec(n):
    if n == 0:
        i = 0
        while i < 1000000:
            i = i + 1
        return 0
    return rec(n - 1) + 1
"""


def profiled(source: str, every: Every, heap: int = 1 << 20, stress: bool = False) -> Profile:
    """Of a run on OS threads.  It must end without an exception."""
    profile = Profile(every)
    outcome = run(compile_program(source, FILE), io.StringIO(), 4096, heap, stress, profile=profile)
    assert outcome.fault is None
    return profile


def shares(profile: Profile) -> dict[str, float]:
    """Of the functions in which samples were taken, whichever function called them."""
    found: Counter[str] = Counter()
    for stacks in profile.threads.values():
        for stack, weight in stacks.items():
            found[stack[-1].name] += weight
    return {name: weight / profile.weight for name, weight in found.items()}


def ask(sampler: Sampler, guest: GuestThread, times: int = 1) -> None:
    """As the ticker does, for n times ASKED of CPU time: the next check takes one sample for all that was asked for."""
    samples = sampler._threads[guest.address].samples
    samples.set("asked", samples.get("asked") + times * ASKED)
    sampler._world.post(guest, SAMPLE)


class Stepped:
    """A guest thread on this OS thread, which only the test asks for samples."""

    def __init__(self, source: str, every: Every = BY_TIME, ring: int = RING, depth: int = DEPTH) -> None:
        built = engine(PROFILED)
        self.world = GuestWorld(built)
        image = Image(built, compile_program(source, FILE))
        self.profile = Profile(every)
        self.sampler = self.world.sampler = Sampler(self.world, image, self.profile, ring, depth)
        self.guest = self.world.add(
            lambda record: GuestThread(built, image, image.globals(), self.world.heap, 4096, record)
        )

    @property
    def taken(self) -> int:
        """Words of the ring, ever."""
        written: int = self.sampler._threads[self.guest.address].samples.get("written")
        return written

    def run(self, instructions: int) -> bool:
        """Whether it has not ended then."""
        return self.guest.enter(budget=instructions) is Exited.STEPPED

    def drain(self) -> None:
        self.sampler._drain(self.sampler._threads[self.guest.address])

    def end(self) -> Profile:
        self.sampler.detach(self.guest)
        return self.profile


# -- the profile of a known program


def test_behind_the_allocation_limit_shares_and_bytes_are_those_of_the_program() -> None:
    """f makes three times as many lists as g: 0.75 and 0.25.  All weights together are the bytes, up to the last sample."""
    every, pairs = 4096, 200 * 400
    profile = profiled(PAIRS + "for k in range(200):\n    f(300)\n    g(100)\n", Every(every, BYTES))
    assert profile.dropped == 0
    assert shares(profile) == pytest.approx({"f": 0.75, "g": 0.25}, abs=NEAR)
    assert 0 <= pairs * PAIR - profile.weight < every * 3 // 2
    assert profile.samples == pytest.approx(pairs * PAIR / every, rel=0.05)


@pytest.mark.parametrize("stress", [False, True])
def test_a_collection_loses_no_bytes(stress: bool) -> None:
    """And the heap is sound: where it is stressed, each collection verifies it."""
    times = 100 if stress else 200
    source = PAIRS + f"for k in range({times}):\n    f(30)\n    g(10)\n"
    profile = Profile(Every(256, BYTES))
    outcome = run(compile_program(source, FILE), io.StringIO(), 256, SMALLEST, stress, profile=profile)
    assert outcome.fault is None
    assert outcome.stats.collections > 5
    assert 0 <= times * 40 * PAIR - profile.weight < 256 * 3 // 2
    assert shares(profile) == pytest.approx({"f": 0.75, "g": 0.25}, abs=NEAR)


def test_a_program_in_step_with_the_samples_is_not_always_met_in_one_place() -> None:
    """f and g in turn, once each: from sample to sample they make as many bytes as four turns of both."""
    profile = profiled(PAIRS + "for k in range(40000):\n    f(1)\n    g(1)\n", Every(8 * PAIR, BYTES))
    assert shares(profile) == pytest.approx({"f": 0.5, "g": 0.5}, abs=NEAR)


def test_an_object_larger_than_the_distance_counts_in_full() -> None:
    source = "def large(n):\n    return [0] * n\nfor k in range(50):\n    large(1000)\n"
    profile = profiled(source, Every(256, BYTES))
    size = 50 * 8 * (LIST_WORDS + even(HEAD_WORDS + 1000))
    assert shares(profile)["large"] > 0.99
    assert size - 256 * 3 // 2 <= profile.weight <= size * 1.02  # `[0]` is an object of its own
    assert profile.samples <= 100


def test_what_the_host_allocates_is_sampled_where_the_guest_is() -> None:
    """A float's digits are the host's work."""
    source = "def text(x):\n    return f'{x} and more, so that it is long'\nfor k in range(3000):\n    text(k / 7)\n"
    assert shares(profiled(source, Every(1024, BYTES)))["text"] > 0.9


def test_where_the_host_allocates_the_sample_is_taken_then() -> None:
    """It is given room up to the limit, and writes no further: nothing is left to be sampled in what comes next."""
    stepped = Stepped("pass\n", Every(256, BYTES))
    record, allocated = stepped.guest.record, 0
    for number in range(5000):
        size = 16 * (1 + number % 40)
        stepped.world.heap.allocate(record, size)
        allocated += size
        assert record.get("heap_top") <= record.get("heap_limit_real")
        if number % 100 == 0:
            stepped.drain()
    profile = stepped.end()
    assert profile.dropped == 0
    assert 0 <= allocated - profile.weight < 256 * 3 // 2


def test_asked_at_fixed_instructions_shares_are_those_of_the_program() -> None:
    """f and g execute the same loop, f three turns for each of g's."""
    stepped = Stepped(LOOPS + "for k in range(40):\n    f(30000)\n    g(10000)\n")
    asked = 0
    while stepped.run(997):
        ask(stepped.sampler, stepped.guest)
        asked += 1
        if asked % 1000 == 0:
            stepped.drain()
    profile = stepped.end()
    assert asked > 3000
    assert profile.dropped == 0
    assert profile.weight == ASKED // 1000 * asked - (ASKED // 1000 if profile.samples < asked else 0)
    assert {name: share for name, share in shares(profile).items() if share > 0.01} == pytest.approx(
        {"f": 0.75, "g": 0.25}, abs=NEAR
    )


class Heavy(Sampler):
    """Sums up what its samples weigh, each for itself.  in_f: of those whose innermost call is made by f."""

    total, squares, in_f = 0, 0, 0

    def _drain(self, sampled: Sampled) -> None:
        samples, row = sampled.samples, sampled.row
        at = samples.get("drained")
        while at != samples.get("written"):
            weight, count = (row[at + n & RING - 1] for n in range(HEAD))
            caller = self._frame(row[at + HEAD + 1 & RING - 1]).name if count > 1 else ""
            self.total += weight
            self.squares += weight * weight
            self.in_f += weight * (caller == "f")
            at += HEAD + count
        super()._drain(sampled)


LOOSE = 0.05
"""The same by time: a smaller distance takes longer, by its square."""
SURE = 5.1
"""Standard deviations: a normal variable is further away with a probability of 3.4e-7, less than one in a million."""


@pytest.mark.timeout(120)
def test_by_time_the_shares_are_those_of_the_program() -> None:
    """As above, while a ticker asks by the CPU time of the thread.

    A call takes some microseconds, much less than the time between two samples; and each takes another time, by random numbers, so that calls and
    samples keep no step: so samples fall into what f and g call independently, with 0.75 and 0.25.  Both call the same loop: two loops with the
    same instructions need not take the same time, by where they lie.  The standard deviation of the share is sqrt(0.75 * 0.25 / n), n the
    number of equal weights that are worth as much as those found (Kish).  It runs until SURE of them are below LOOSE.
    """
    source = (
        "def h(n):\n    i = 0\n    while i < n:\n        i = i + 1\n"
        "def f(n):\n    h(n)\ndef g(n):\n    h(n)\n"
        "r = 1\nfor k in range(15000):\n    r = r * 48271 % 2147483647\n    m = r % 1000\n    f(1500 + 3 * m)\n    g(500 + m)\n"
    )
    total, in_f, squares = 0, 0, 0
    for _ in range(60):
        profile = Profile(Every(100, MICROSECONDS))
        with Vm(compile_program(source, FILE), io.StringIO(), variant=PROFILED) as vm:
            vm.world.sampler = sampler = Heavy(vm.world, vm._image, profile)
            with sampler:
                vm.start().outcome()
                vm.finish()
        total += sampler.total
        squares += sampler.squares
        in_f += sampler.in_f
        if total and SURE * math.sqrt(0.75 * 0.25 * squares) / total <= LOOSE:
            break
    else:
        pytest.fail("this machine lets the sampler run too seldom")
    assert abs(in_f / total - 0.75) <= LOOSE


# -- what there is no room for


def test_a_full_ring_drops_samples_and_counts_them() -> None:
    """One call in each: as many as the ring has room for, and no further one; after a drain there is room again, around the end of the ring."""
    stepped = Stepped("i = 0\nwhile True:\n    i = i + 1\n", ring=64)
    fit = 64 // (HEAD + 1)

    def asked(times: int) -> None:
        for _ in range(times):
            assert stepped.run(10)
            ask(stepped.sampler, stepped.guest)
            assert stepped.run(10)

    asked(fit + 7)
    stepped.drain()
    assert stepped.profile.samples == fit
    asked(fit)
    profile = stepped.end()
    assert (profile.samples, profile.dropped, profile.lost) == (2 * fit, 7, 7 * ASKED // 1000)
    assert profile.weight == 2 * fit * ASKED // 1000
    assert profile.merged().keys() == {("MainThread", f"<module> ({FILE}:1)")}


def test_a_sample_around_the_end_of_the_ring_is_whole() -> None:
    """Of twelve calls: the ring's size is no multiple of that."""
    stepped = Stepped(DEEP + "rec(10)\n", ring=64)
    assert stepped.run(5000)
    for _ in range(50):
        ask(stepped.sampler, stepped.guest)
        assert stepped.run(20)
        stepped.drain()
    profile = stepped.end()
    ((stack, weight),) = profile.threads["MainThread"].items()
    assert (len(stack), profile.samples, weight) == (12, 50, 50 * ASKED // 1000)


@pytest.mark.parametrize(("depth", "cut"), [(11, True), (12, False), (13, False)])
def test_a_stack_deeper_than_a_sample_is_cut_at_its_outer_end(depth: int, cut: bool) -> None:
    """The module, and eleven calls."""
    stepped = Stepped(DEEP + "rec(10)\n", depth=depth)
    assert stepped.run(5000)
    ask(stepped.sampler, stepped.guest)
    assert stepped.run(50)
    profile = stepped.end()
    rec, module = Frame("rec", FILE, 2), Frame("<module>", FILE, 1)
    ((stack, weight),) = profile.threads["MainThread"].items()
    assert stack == ((CUT, *[rec] * 11) if cut else (module, *[rec] * 11))
    assert (profile.samples, profile.cut, weight) == (1, int(cut), ASKED // 1000)


def test_what_an_ended_thread_was_sampled_with_is_kept_under_its_name() -> None:
    """Python drains nothing while they run: what is in the rings at the end is all there is.  Records are used again."""
    source = IMPORTS + STARTED + PAIRS + "for n in range(5):\n    all_of(f, [100, 200])\nf(400)\n"
    profile = Profile(Every(256, BYTES))
    with Vm(compile_program(source, FILE), io.StringIO(), 4096, PROFILED) as vm:
        sampler = vm.sample(profile)
        assert vm.start().outcome().fault is None
        vm.finish()
        assert sampler._threads == {}
        assert len(vm.world._records) < 11
    weights = {name: stacks.total() for name, stacks in profile.threads.items()}
    lists = {f"Thread-{2 * n + k} (f)": 100 * k for n in range(5) for k in (1, 2)}
    assert weights.keys() == {"MainThread", *lists}
    for name, count in lists.items():
        assert 0 <= count * PAIR - weights[name] < 256 * 3 // 2, name


# -- where nothing is sampled


def test_no_sample_while_the_world_is_stopped_and_one_afterwards() -> None:
    profile = Profile(BY_TIME)
    with Vm(compile_program("while True:\n    pass\n", FILE), io.StringIO(), variant=PROFILED) as vm:
        sampler = vm.sample(profile)
        guest = vm.start().guest
        samples = sampler._threads[guest.address].samples
        assert soon(lambda: guest.record.get("state") == MANAGED)  # a birth drops what is pending
        with vm.world.stopped():
            ask(sampler, guest)
            ask(sampler, guest, 2)
            time.sleep(0.01)
            assert samples.get("written") == 0
        assert soon(lambda: samples.get("written") == HEAD + 1)
        time.sleep(0.01)
        assert samples.get("written") == HEAD + 1, "both were asked for before the check: one sample stands for them"
    assert profile.weight == 3 * ASKED // 1000


def test_a_sample_that_another_asks_for_is_none_of_the_profile() -> None:
    stepped = Stepped(LOOPS + "f(1000000)\n")
    for _ in range(5):
        stepped.run(100)
        stepped.world.post(stepped.guest, SAMPLE)
    assert stepped.run(100)
    assert stepped.guest.record.get("served", SERVED[SAMPLE]) == 5
    assert stepped.taken == 0


@pytest.mark.parametrize(
    ("state", "asked", "clock", "is_asked"),
    [(MANAGED, 0, True, True), (NATIVE, 0, True, False), (MANAGED, 1 << 60, True, False), (MANAGED, 0, False, False)],
)
def test_a_ticker_asks_who_runs_guest_code_and_has_used_enough(
    state: int, asked: int, clock: bool, is_asked: bool
) -> None:
    """`asked`: the CPU time for which samples were asked before; `clock`: is there one of the thread's CPU time?"""
    stepped = Stepped(LOOPS + "f(1000000)\n", Every(100, MICROSECONDS))
    record, samples = stepped.guest.record, stepped.sampler._threads[stepped.guest.address].samples
    record.set("state", state)
    samples.set("asked", asked)
    samples.set("clock", time.pthread_getcpuclockid(threading.get_ident()) if clock else 0)
    stepped.sampler._ticker.set("ticks", 1)
    engine(PROFILED).procedure("tick", stepped.sampler._ticker.address)
    assert (record.get("pending") == SAMPLE) is is_asked
    assert (samples.get("asked") != asked) is is_asked


def seeds(seed: int) -> Iterator[int]:
    """A ticker's, one for each tick."""
    while True:
        for shift in (13, -7, 17):
            seed ^= (seed << shift if shift > 0 else seed >> -shift) & (1 << 64) - 1
        yield signed(seed)


@pytest.mark.parametrize(("words", "ticks"), [(RING // 2, 1), (RING // 2 - 1, 5)])
def test_a_ticker_returns_to_have_a_ring_drained_that_is_half_full(words: int, ticks: int) -> None:
    stepped = Stepped(LOOPS + "f(1000000)\n", Every(100, MICROSECONDS))
    ticker = stepped.sampler._ticker
    stepped.sampler._threads[stepped.guest.address].samples.set("written", words)
    ticker.set("ticks", 5)
    expected = [*islice(seeds(ticker.get("seed")), ticks)][-1]
    engine(PROFILED).procedure("tick", ticker.address)
    assert ticker.get("seed") == expected


def test_a_thread_that_sleeps_is_left_in_peace() -> None:
    """Every weight is CPU time; the sampler does not post to a thread that uses none."""
    source = IMPORTS + "def wait():\n    sleep(0.5)\nt = Thread(target=wait)\nt.start()\nt.join()\n"
    profile = Profile(BY_TIME)
    with Vm(compile_program(source, FILE), io.StringIO(), variant=PROFILED) as vm, vm.sample(profile):
        vm.start().outcome()
        vm.finish()
        served = [record.get("served", SERVED[SAMPLE]) for record in vm.world._records]
    assert sum(served) < 50
    assert profile.weight < 250_000


def test_weights_are_the_cpu_time_of_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less what was used after the last sample, which a loaded machine may stretch."""
    clocks: list[int] = []
    before = Sampler.detach

    def detach(self: Sampler, guest: GuestThread) -> None:
        clocks.append(time.thread_time_ns())
        before(self, guest)

    monkeypatch.setattr(sampling.Sampler, "detach", detach)
    profile = profiled(LOOPS + "f(150000000)\n", BY_TIME)
    (used,) = clocks
    assert profile.weight <= used / 1000
    assert profile.weight >= 0.5 * used / 1000


def test_a_trace_and_a_profile_are_not_made_together() -> None:
    with pytest.raises(ValueError, match="either a trace or a profile"):
        run(compile_program("pass\n", FILE), io.StringIO(), trace=io.BytesIO(), profile=Profile(BY_TIME))


def test_what_goes_wrong_while_draining_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Sampler._drain

    def broken(self: Sampler, sampled: Sampled) -> None:
        if threading.current_thread().name == "sampler":
            raise RuntimeError("no room")
        before(self, sampled)

    monkeypatch.setattr(Sampler, "_drain", broken)
    with pytest.raises(RuntimeError, match="no room"):
        profiled(LOOPS + "f(150000000)\n", BY_TIME)
