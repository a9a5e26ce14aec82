"""What the loops of requesters share: whom to ask, when, and how long it took.  In the handler language."""

from __future__ import annotations

from safepoint.protocol.words import MANAGED
from safepoint_vm.cores.plan import UNBOUNDED, Buckets, Plan
from safepoint_vm.cores.primitives import clock, peek, poison, relax, sleep_for
from safepoint_vm.cores.tally import Tally
from safepoint_vm.cores.waiting import checks_of, linger, number_from
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.vocabulary import Value, Word, inline

STATE = fields(Thread)["state"].offset
HALT = fields(Plan)["halt"].offset
PHASE = fields(Tally)["phase"].offset
AIM_CYCLES = 20_000  # for which a requester waits for its target to come to a place


@inline
def poison_all(world: World) -> None:
    """After a stop was lost: so that it ends."""
    number = Word(0)
    while number < world.population:
        poison(Thread(world.threads[number]), 0)
        number = number + 1


@inline
def record(buckets: Buckets, since: Word, until: Word) -> None:
    """Count a duration; one that is negative, because the word was written before, is none."""
    left, exponent = until - since, Word(0)
    if left >= 0:
        while left > 7:
            left = left >> 1
            exponent = exponent + 4
        buckets[exponent + left] = Value(buckets[exponent + left] + 1)


@inline
def take_aim(plan: Plan, thread: Thread) -> None:
    """Wait until the thread is at a place drawn from those that are aimed at, or for AIM_CYCLES; with none, for a random time."""
    if plan.aims != 0:
        drawn = random(plan)
        place = plan.aim + drawn - (drawn // plan.aims) * plan.aims
        began = clock()
        while peek(thread.hook + PHASE) != place and clock() - began < AIM_CYCLES:
            relax()
    else:
        linger(random(plan) & plan.pause)


@inline
def index_of(kind: Word) -> Word:
    """Eight times the number of a kind's bit."""
    found = Word(0)
    while kind > 1:
        kind = kind >> 1
        found = found + 8
    return found


@inline
def random(plan: Plan) -> Word:
    """A pseudo-random number of 31 bits."""
    plan.seed = number_from(plan.seed)
    return (plan.seed >> 32) & 0x7FFFFFFF


@inline
def pick(plan: Plan) -> Word:
    """The number of a thread; -1: there is none yet."""
    count = World(plan.world).population - plan.first
    if count <= 0:
        return Word(-1)
    drawn = random(plan)
    return plan.first + drawn - (drawn // count) * count


@inline
def halted(plan: Plan) -> bool:
    return peek(Word(plan) + HALT) != 0


@inline
def checks_of_all(world: World) -> Word:
    total, number = Word(0), Word(0)
    while number < world.population:
        total = total + checks_of(Thread(world.threads[number]))
        number = number + 1
    return total


@inline
def bounded(passed: Word, bound: Word) -> Word:
    """Checks of a kind that have been executed: of one without a bound none, as the policy does not check there."""
    if bound == UNBOUNDED:
        return Word(0)
    return passed


@inline
def judge_distance(plan: Plan, pushed: Word, looped: Word, elsewhere: Word) -> None:
    """How many checks of each kind has a request waited for?"""
    distance = pushed + looped + elsewhere
    if distance > plan.worst:  # noqa: PLR1730  -- the handler language has no max()
        plan.worst = distance
    if (
        pushed > plan.slack + plan.frames
        or looped > plan.slack + plan.back_edges
        or elsewhere > plan.slack + plan.elsewhere
    ):
        plan.beyond = plan.beyond + 1
    elif distance > plan.slack + 1:
        plan.later = plan.later + 1


@inline
def returning_in(world: World) -> Word:
    """How many threads have published MANAGED?  In a stopped world: how many are about to find that it is stopped?"""
    total, number = Word(0), Word(0)
    while number < world.population:
        if peek(Word(Thread(world.threads[number])) + STATE) == MANAGED:
            total = total + 1
        number = number + 1
    return total


@inline
def rest_between(plan: Plan) -> None:
    """Sleep after each sixteenth request, if the plan says so."""
    if plan.rest != 0 and plan.done & 15 == 0:
        sleep_for(plan.rest)
