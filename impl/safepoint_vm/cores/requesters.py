"""The loops of requesters, which run without the GIL, each on an OS thread of its own.

Written in the handler language.  They call the protocol's compiled procedures, and nothing of Python; where they wait, they
wait by looking again, let others run on their core now and then, and give up after `Plan.give_up` turns.
"""

from __future__ import annotations

from safepoint.protocol.words import ENDED
from safepoint_vm.cores.picking import (
    bounded,
    checks_of_all,
    halted,
    index_of,
    judge_distance,
    pick,
    poison_all,
    random,
    record,
    rest_between,
    returning_in,
    take_aim,
)
from safepoint_vm.cores.plan import Plan
from safepoint_vm.cores.primitives import (
    clock,
    fence,
    give_way,
    handshake,
    peek,
    poison,
    post,
    start_world,
    stop_world,
)
from safepoint_vm.cores.tally import CHECKS, Tally
from safepoint_vm.cores.waiting import back_edges_of, checks_of, elsewhere_of, frames_of, linger, wait_a_turn
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.vocabulary import Value, Word, routine

STATE = fields(Thread)["state"].offset
TAKEN, DROPPED, TAKEN_CLOCK, SERVED_CLOCK, ENTERED, BEGUN = (
    fields(Tally)[name].offset for name in ("taken", "dropped", "taken_clock", "served_clock", "entered", "begun")
)
FRAMES_AT, BACK_EDGES_AT, ELSEWHERE_AT = (fields(Tally)[f"{name}_at"].offset for name in CHECKS)
SERVES_WITHIN = 1000  # turns for which a requester waits for the end of what it has seen taken, for the histogram only
LOCK_STEP = 1
"""A status says the step, counted from 1: both `stop_world` and `handshake` begin by waiting for their turn."""


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
            life = peek(tally + BEGUN)
            dropped, again = peek(tally + DROPPED + first), peek(tally + DROPPED + second)
            began = clock()
            post(thread, plan.kind, 0)
            if plan.second != 0:
                take_aim(plan, thread)
                post(thread, plan.second, 0)
            fence()
            frames, back_edges, elsewhere = frames_of(thread), back_edges_of(thread), elsewhere_of(thread)
            at = frames + back_edges + elsewhere
            turns, waits = Word(0), Word(1)
            while waits != 0:
                passed = checks_of(thread) - at  # read before what was taken: this loop may be interrupted in between
                if peek(tally + TAKEN + first) != before and (
                    plan.second == 0 or peek(tally + TAKEN + second) != other
                ):
                    waits = Word(0)
                    record(plan.entered, began, peek(tally + ENTERED))
                    record(plan.seen, began, peek(tally + TAKEN_CLOCK + first))
                    turns = Word(0)
                    while peek(tally + SERVED_CLOCK + first) - began < 0 and turns < SERVES_WITHIN:
                        turns = turns + 1
                    record(plan.served, began, peek(tally + SERVED_CLOCK + first))
                    if plan.second == 0 and life == peek(tally + BEGUN):
                        judge_distance(
                            plan,
                            bounded(peek(tally + FRAMES_AT + first) - frames, plan.frames),
                            bounded(peek(tally + BACK_EDGES_AT + first) - back_edges, plan.back_edges),
                            bounded(peek(tally + ELSEWHERE_AT + first) - elsewhere, plan.elsewhere),
                        )
                elif (
                    peek(tally + DROPPED + first) != dropped
                    or peek(tally + DROPPED + second) != again
                    or peek(Word(thread) + STATE) == ENDED
                ):
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
            rest_between(plan)
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
            rest_between(plan)
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
            now, asks = checks_of_all(world), status >> 8 == LOCK_STEP
            status = stop_world(world, status)
            if asks:
                at = checks_of_all(world)  # not before: a requester may be interrupted between two of its posts
            elif status != 0 and now - at > plan.patience:
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
        rest_between(plan)
    return Word(0)


@routine
def turns(plan: Plan) -> Word:
    """Wait until each thread has executed a check more, which is the system's time to give each a core; then stop them all.

    `entered`: the time of the first; `seen`: of the stop, which so finds every thread in guest code.
    """
    world = World(plan.world)
    while plan.done < plan.rounds and not halted(plan):
        began, number = clock(), Word(0)
        while number < world.population:
            plan.marks[number] = Value(checks_of(Thread(world.threads[number])))
            number = number + 1
        number, waited = plan.first, Word(0)
        while number < world.population and not halted(plan):
            if checks_of(Thread(world.threads[number])) == Word(plan.marks[number]):
                waited = waited + 1
                wait_a_turn(waited, plan.often)
            else:
                number = number + 1
        record(plan.entered, began, clock())
        began = clock()
        status, waited = stop_world(world, 0), Word(0)
        while status != 0:
            waited = waited + 1
            wait_a_turn(waited, plan.often)
            status = stop_world(world, status)
            if waited > plan.give_up:
                plan.stuck = plan.stuck + 1
                return Word(0)
        record(plan.seen, began, clock())
        start_world(world, 0)
        plan.done = plan.done + 1
        rest_between(plan)
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
                now, asks = checks_of(thread), status >> 8 == LOCK_STEP
                status = handshake(thread, status)
                if asks:
                    at = checks_of(thread)  # not before: a requester may be interrupted in its post
                elif status != 0 and now - at > plan.patience:
                    plan.lost = plan.lost + 1
                    poison(thread, 0)
                    at = checks_of(thread)
                if turns > plan.give_up:
                    plan.stuck = plan.stuck + 1
                    return Word(0)
            record(plan.served, began, clock())
            plan.done = plan.done + 1
            linger(random(plan) & plan.pause)
            rest_between(plan)
    return Word(0)
