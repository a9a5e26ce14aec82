"""The loops that run without the GIL: requesters, each on an OS thread of its own, and `live`, which runs a guest thread.

Written in the handler language.  They call the protocol's compiled procedures, and nothing of Python; where they wait, they
wait by looking again, let others run on their core now and then, and give up after `Plan.give_up` turns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from safepoint.protocol.words import ENDED, GO, MANAGED, RAISE_INTERRUPT
from safepoint_vm.cores.plan import Buckets, Plan
from safepoint_vm.cores.primitives import (
    Encoded,
    awaken,
    block,
    clock,
    declare_primitives,
    fence,
    give_way,
    handshake,
    leave,
    look_again,
    peek,
    poison,
    post,
    push_failed,
    reenter,
    relax,
    run,
    sleep_for,
    slow_path,
    start_world,
    stop_world,
    unmask,
)
from safepoint_vm.cores.tally import Tally
from safepoint_vm.generate.compiler import ModuleCompiler
from safepoint_vm.generate.triggers import NUMBERS
from safepoint_vm.language.layout import fields
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.vocabulary import Word, inline, routine
from safepoint_vm.language.words import Thread, World

FRAMES, BACK_EDGES, STATE = (fields(Thread)[name].offset for name in ("frames", "back_edges", "state"))
TAKEN, DROPPED, TAKEN_AT, TAKEN_CLOCK, SERVED_CLOCK, ENTERED = (
    fields(Tally)[name].offset for name in ("taken", "dropped", "taken_at", "taken_clock", "served_clock", "entered")
)
PHASE, STEPS = fields(Tally)["phase"].offset, fields(Tally)["steps"].offset
HALT = fields(Plan)["halt"].offset
SLEEP = NUMBERS["SLEEP"]
OFTEN = 1023  # turns for which a guest thread waits between two offers of its core to others, less one
NAP = 20  # microseconds
SERVES_WITHIN = 1000  # turns for which a requester waits for the end of what it has seen taken, for the histogram only
AIM_CYCLES = 20_000  # for which a requester waits for its target to come to a place
LOCK_STEP = 1  # a status says the step, counted from 1: both `stop_world` and `handshake` begin by waiting for their turn


@inline
def number_from(seed: Word) -> Word:
    return seed * 6364136223846793005 + 1442695040888963407


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
def linger(cycles: Word) -> None:
    began = clock()
    while clock() - began < cycles:
        relax()


@inline
def wait_a_turn(turns: Word, often: Word) -> None:
    """`often`: a power of two less one; once in so many turns the core is offered to others."""
    relax()
    if turns & often == often:
        give_way()


@inline
def checks_of(thread: Thread) -> Word:
    """Checks that it has executed: words that only guest code changes."""
    return peek(Word(thread) + FRAMES) + peek(Word(thread) + BACK_EDGES)


@inline
def checks_of_all(world: World) -> Word:
    total, number = Word(0), Word(0)
    while number < world.population:
        total = total + checks_of(Thread(world.threads[number]))
        number = number + 1
    return total


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
        buckets[exponent + left] = buckets[exponent + left] + 1


@inline
def halted(plan: Plan) -> bool:
    return peek(Word(plan) + HALT) != 0


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


@routine
def ping(plan: Plan) -> Word:
    """Post to a thread, perhaps a second kind shortly afterwards, and wait until both are taken; then the next round.

    Lost: the guest has executed `patience` further checks, and has not taken both.  No time enters, so a thread that the
    operating system has stopped loses nothing.
    """
    first, second = index_of(plan.kind), index_of(plan.second)
    while plan.done < plan.rounds and not halted(plan):
        number = pick(plan)
        if number < 0:
            give_way()
        else:
            thread = Thread(World(plan.world).threads[number])
            tally = thread.hook
            before, other = peek(tally + TAKEN + first), peek(tally + TAKEN + second)
            life = peek(tally + STEPS + plan.birth)
            dropped, again = peek(tally + DROPPED + first), peek(tally + DROPPED + second)
            began = clock()
            post(thread, plan.kind, 0)
            if plan.second != 0:
                take_aim(plan, thread)
                post(thread, plan.second, 0)
            fence()
            at = checks_of(thread)
            turns, waits = Word(0), Word(1)
            while waits != 0:
                passed = checks_of(thread) - at  # read before what was taken: this loop may be interrupted in between
                if peek(tally + TAKEN + first) != before and (plan.second == 0 or peek(tally + TAKEN + second) != other):
                    waits = Word(0)
                    record(plan.entered, began, peek(tally + ENTERED))
                    record(plan.seen, began, peek(tally + TAKEN_CLOCK + first))
                    turns = Word(0)
                    while peek(tally + SERVED_CLOCK + first) - began < 0 and turns < SERVES_WITHIN:
                        turns = turns + 1
                    record(plan.served, began, peek(tally + SERVED_CLOCK + first))
                    if plan.second == 0 and life == peek(tally + STEPS + plan.birth):
                        distance = peek(tally + TAKEN_AT + first) - at
                        if distance > plan.worst:
                            plan.worst = distance
                        if distance > plan.slack + 1:
                            plan.beyond = plan.beyond + 1
                elif peek(tally + DROPPED + first) != dropped or peek(tally + DROPPED + second) != again:
                    waits = Word(0)
                    plan.void = plan.void + 1
                elif peek(Word(thread) + STATE) == ENDED:
                    waits = Word(0)
                    plan.void = plan.void + 1
                elif passed > plan.patience:
                    waits = Word(0)
                    plan.lost = plan.lost + 1
                    poison(thread, 0)  # so that the next round begins as the first did
                elif turns > plan.give_up:
                    waits = Word(0)
                    plan.stuck = plan.stuck + 1
                else:
                    turns = turns + 1
                    wait_a_turn(turns, plan.often)
            plan.done = plan.done + 1
            linger(random(plan) & plan.pause)
            if plan.rest != 0 and plan.done & 15 == 0:
                sleep_for(plan.rest)
    return Word(0)


@routine
def storm(plan: Plan) -> Word:
    """Post to any thread any of several kinds, without waiting; half of the time at once again."""
    while plan.done < plan.rounds and not halted(plan):
        number = pick(plan)
        kind = plan.kind & (Word(1) << (random(plan) & 7))
        if number >= 0 and kind != 0:
            thread = Thread(World(plan.world).threads[number])
            if plan.aims != 0:
                take_aim(plan, thread)
            post(thread, kind, 0)
            plan.done = plan.done + 1
            if random(plan) & 1 == 0:
                linger(random(plan) & plan.pause)
            if plan.rest != 0 and plan.done & 15 == 0:
                sleep_for(plan.rest)
        elif number < 0:
            give_way()
    return Word(0)


@routine
def stops(plan: Plan) -> Word:
    """Stop the world, look twice whether guest code runs, and start it; then at once again, or when the guest has moved."""
    world = World(plan.world)
    last = Word(-1)
    while plan.done < plan.rounds and not halted(plan):
        began = clock()
        status, turns = stop_world(world, 0), Word(0)
        at = checks_of_all(world)
        while status != 0:
            turns = turns + 1
            wait_a_turn(turns, plan.often)
            now = checks_of_all(world)
            if status >> 8 == LOCK_STEP:
                at = now
            status = stop_world(world, status)
            if status != 0 and now - at > plan.patience:
                plan.lost = plan.lost + 1
                poison_all(world)
                at = checks_of_all(world)
            if turns > plan.give_up:
                plan.stuck = plan.stuck + 1
                return Word(0)
        record(plan.seen, began, clock())
        before = checks_of_all(world)
        plan.returning = plan.returning + returning_in(world)
        if before == last:
            plan.idle = plan.idle + 1
        linger(random(plan) & plan.pause)
        if plan.done & 15 == 0:
            give_way()
        last = checks_of_all(world)
        if last != before:
            plan.moved = plan.moved + 1
        start_world(world, 0)
        plan.done = plan.done + 1
        if random(plan) & 1 == 0:
            turns = Word(0)
            while checks_of_all(world) == last and turns < plan.patience:
                turns = turns + 1
                wait_a_turn(turns, plan.often)
        if plan.rest != 0 and plan.done & 15 == 0:
            sleep_for(plan.rest)
    return Word(0)


@routine
def handshakes(plan: Plan) -> Word:
    """Ask a thread for an operation, and wait until it has been run."""
    while plan.done < plan.rounds and not halted(plan):
        number = pick(plan)
        if number < 0:
            give_way()
        else:
            thread = Thread(World(plan.world).threads[number])
            began = clock()
            status, turns = handshake(thread, 0), Word(0)
            at = checks_of(thread)
            while status != 0:
                turns = turns + 1
                wait_a_turn(turns, plan.often)
                now = checks_of(thread)
                if status >> 8 == LOCK_STEP:
                    at = now
                status = handshake(thread, status)
                if status != 0 and now - at > plan.patience:
                    plan.lost = plan.lost + 1
                    poison(thread, 0)
                    at = checks_of(thread)
                if turns > plan.give_up:
                    plan.stuck = plan.stuck + 1
                    return Word(0)
            record(plan.served, began, clock())
            plan.done = plan.done + 1
            linger(random(plan) & plan.pause)
            if plan.rest != 0 and plan.done & 15 == 0:
                sleep_for(plan.rest)
    return Word(0)


@routine
def nap(microseconds: Word) -> Word:
    """Sleep, without the GIL."""
    return sleep_for(microseconds)


@routine
def stamp(_: Word) -> Word:
    return clock()


# ---- a guest thread


@inline
def draw(tally: Tally) -> Word:
    tally.seed = number_from(tally.seed)
    return (tally.seed >> 32) & 0x7FFFFFFF


@inline
def returned(thread: Thread) -> Word:
    """Come back to guest code; 0."""
    status, turns = reenter(thread, 0), Word(0)
    while status != 0:
        turns = turns + 1
        wait_a_turn(turns, Word(OFTEN))
        status = reenter(thread, status)
    return status


@inline
def native_region(thread: Thread, tally: Tally) -> None:
    """In the place of a PRINT: leave guest code for a random time, and come back."""
    leave(thread, 0)
    linger(draw(tally) & 1023)
    returned(thread)
    tally.natives = tally.natives + 1


@inline
def sleeps(thread: Thread, tally: Tally) -> Word:
    """In the place of a SLEEP: sleep for a random time, or until a request comes.  Returns the outcome of the check site."""
    most, turns = draw(tally) & 255, Word(0)
    status = block(thread, 0)
    while status != 0:
        turns = turns + 1
        if turns > most:
            awaken(thread, 0)
        wait_a_turn(turns, Word(OFTEN))
        status = block(thread, status)
    status = look_again(thread, 0)
    while status != 0:
        turns = turns + 1
        wait_a_turn(turns, Word(OFTEN))
        status = look_again(thread, status)
    tally.sleeps = tally.sleeps + 1
    return thread.result


@inline
def waited(thread: Thread, why: Word, tally: Tally) -> Word:
    """Wait in the procedure for which machine code was left.  Returns its status: 0, or `patience` is over."""
    status, turns = thread.suspended, Word(0)
    while status != 0 and turns < tally.patience:
        turns = turns + 1
        wait_a_turn(turns, Word(OFTEN))
        if why == Word(Exited.BACK_EDGE_WAITS):
            status = slow_path(thread, status)
        elif why == Word(Exited.PUSH_WAITS):
            status = push_failed(thread, 0, status)
        else:
            status = unmask(thread, status)
    thread.suspended = status
    tally.parks = tally.parks + 1
    return status


@routine
def live(handler: Word, pc: Word, frame: Word, record: Word, table: Word) -> Word:
    """In the place of `enter`: run guest code, and do what needs no host, without the GIL, as long as it needs none.

    Waits of procedures, PRINT (a native region that writes nothing) and SLEEP (for a random time) are done here; for all else
    it returns to the host, as `enter` does.
    """
    thread = Thread(record)
    tally = Tally(thread.hook)
    run(handler, pc, frame, record, table)
    goes_on = Word(1)
    while goes_on != 0:
        why = thread.status
        entry = tally.begin
        if why == Word(Exited.BACK_EDGE_WAITS):
            entry = tally.after_back_edge
            goes_on = truth(waited(thread, why, tally) == 0)
        elif why == Word(Exited.PUSH_WAITS):
            entry = tally.after_push
            goes_on = truth(waited(thread, why, tally) == 0)
        elif why == Word(Exited.UNMASK_WAITS):
            entry = tally.after_unmask
            goes_on = truth(waited(thread, why, tally) == 0)
        elif why == Word(Exited.PRINT):
            native_region(thread, tally)
            thread.pc = thread.pc + 1
        elif why == Word(Exited.THREADING) and Encoded(thread.pc).word & 0xFFFF == SLEEP:
            outcome = sleeps(thread, tally)
            if outcome == GO:
                thread.pc = thread.pc + 1
            else:
                goes_on = Word(0)
                if outcome == RAISE_INTERRUPT:
                    thread.status = Word(Exited.INTERRUPTED)
                else:
                    thread.status = Word(Exited.TERMINATED)
        else:
            goes_on = Word(0)
        if goes_on != 0:
            run(entry, Word(thread.pc), Word(thread.frame), record, table)
    if thread.status == Word(Exited.INTERRUPTED) or thread.status == Word(Exited.TERMINATED):
        tally.raised = tally.raised + 1
    return Word(0)


@inline
def truth(x: bool) -> Word:
    if x:
        return Word(1)
    return Word(0)


LOOPS: tuple[Callable[..., Any], ...] = (ping, storm, stops, handshakes, nap, stamp, live)


@dataclass(frozen=True)
class Loops:
    """A part of an engine: the loops."""

    def generate(self) -> ir.Module:
        """HandlerError: a loop cannot be compiled."""
        module = ir.Module("loops")
        compiler = ModuleCompiler(module, {"PROTOCOL": True, "COUNTING": True, "CHECKS_FLAG": False, "COLLECTOR_MUTANT": ""})
        declare_primitives(compiler)
        for loop in LOOPS:
            compiler.routine(loop)
        return module
