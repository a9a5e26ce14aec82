"""What is explored: the named instances, each with the reason for its bounds, from the smallest to the largest.

A feature is a slice: each alone in the tiny group, each pair in the small one, triples and all of them in the nightly one.
What is combined nowhere is listed by `not_combined`, and printed at the end of a run.  A bound is there because the next larger
world has too many states: with each guest thread there are some two hundred times as many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from safepoint.graph.instance import Instance
from safepoint.protocol.policies import POLICIES, is_ours
from safepoint.protocol.policy import Bound, Policy

SLICES: dict[str, str] = {
    "masks": "critical sections in which an interrupt stays pending",
    "unwinding": "an unwinding, in which a TERMINATE stays pending, comes to its end",
    "handlers": "a handler runs guest code at the site: it pushes, overflows and is interrupted again",
    "blocking": "a thread sleeps until a request is posted",
    "collect": "a guest thread is itself the coordinator",
    "limit": "the real limit changes while the thread runs",
    "births": "threads end and begin, also while the world is stopped",
}


VARIANTS: dict[str, str] = {
    "membarrier": "threads return to guest code without a barrier, and requesters fence them",
    "leaving": "an operation leaves guest code, and comes back",
    "asking": "guest threads ask each other, and themselves, for operations",
    "exclusive": "no operation is run while the world is stopped",
    "fairness": "a thread that a stop has held runs guest code before the stop after the next",
    "waking": "the end of a sleep is a check site",
    "records": "a requester holds the record of a thread that it looks for",
    "nesting": "a guest thread stops the world inside a stop of its own",
    "work": "an instruction does long work, and polls",
}
"""What not every VM does, each explored by itself, or with the feature that it needs: these are not combined as SLICES are."""

LESS: dict[str, str] = {
    "loops": "guest code of loops and native regions alone, of which three threads are few enough",
}
"""Guest code that does less than it could, for a policy whose threads write each other's words: explored with that policy alone."""


COUNTS_ON_RETURN = {"leaving", "fairness"}
"""Features in which a requester waits for a thread to come back: out of an operation's native code, or out of a park."""


NO_BOUND = Bound(frames=None, back_edges=None)


@dataclass(frozen=True)
class Scope:
    """One explored instance: guest threads, requesters beside them, a stack of `depth` frames.  `widths`: if not the policy's own.

    declared: of a custom text, which has no policy.
    """

    name: str
    group: str  # tiny: seconds; small: a minute; nightly: more
    threads: int
    roles: tuple[str, ...]
    why: str
    slices: tuple[str, ...] = ()
    depth: int = 1
    widths: tuple[tuple[str, int], ...] = ()
    declared: Bound = NO_BOUND


def instance_of(scope: Scope, policy: Policy, mutant: str = "") -> Instance:
    """What is fixed when a text is compiled for a scope and a policy."""
    return Instance(scope.threads, mutant, scope.widths or policy.widths, scope.slices, policy.sites)


STOP, INTERRUPT, SAMPLE, TERMINATE, HANDSHAKE = "coordinator", "interrupter", "sampler", "terminator", "handshaker"
IMPATIENT, FINDER, HANDLER = "impatient", "finder", "signal_handler"
APART = (IMPATIENT, FINDER, HANDLER)
"""Requesters that not every VM has: each in a scope or two, as VARIANTS are."""
BOTH = (STOP, INTERRUPT)
CALLS = (("entry", 0),)
"""No back-edges: the dispatch tables are left out, and a third thread fits."""

SCOPES: dict[str, Scope] = {
    s.name: s
    for s in (
        Scope("loops-1", "tiny", 1, (SAMPLE,), "compiled code, overwritten and put back by the one thread that executes it", ("loops",), widths=CALLS),
        Scope("two-loops-1", "tiny", 1, (SAMPLE,), "two jumps, overwritten and put back one by one", ("loops",), widths=(("entry", 0), ("code", 2))),
        Scope("loops-2", "tiny", 2, (SAMPLE,), "one thread puts back what was overwritten for the other", ("loops",), widths=CALLS),
        Scope("interrupt-1", "tiny", 1, (INTERRUPT,), "the smallest world in which a request can be lost"),
        Scope("stop-1", "tiny", 1, (STOP,), "a thread may be in guest code, native or parked when a stop comes"),
        Scope("handshake-1", "tiny", 1, (HANDSHAKE,), "one operation, by the target or for it"),
        Scope("terminate-1", "tiny", 1, (TERMINATE,), "a second TERMINATE comes while the first unwinds", ("unwinding",)),
        Scope("sample-1", "tiny", 1, (SAMPLE,), "a request that raises nothing: the guest goes on, and is asked again"),
        Scope("terminate-masks-1", "tiny", 1, (TERMINATE,), "a TERMINATE is taken in a critical section, and unwinds through its end", ("masks", "unwinding")),
        Scope("masks-1", "tiny", 1, (INTERRUPT,), "an interrupt comes before, in and after a critical section", ("masks",)),
        Scope("handlers-1", "tiny", 1, (INTERRUPT,), "the next interrupt comes while the handler of the last one runs", ("handlers",)),
        Scope("blocking-1", "tiny", 1, (INTERRUPT,), "a post comes at each moment of falling asleep", ("blocking",)),
        Scope("limit-1", "tiny", 1, (INTERRUPT,), "the limit changes while it is poisoned", ("limit",)),
        Scope("births-1", "tiny", 1, (STOP,), "a thread begins while the world is stopped, or being stopped", ("births",)),
        Scope("newborn-1", "tiny", 1, (HANDSHAKE,), "a thread ends while an operation on it is asked for, and another takes its place", ("births",)),
        Scope("late-post-1", "tiny", 1, (INTERRUPT,), "a masked thread ends with a request pending, and another takes its place", ("births", "masks")),
        Scope("collect-1", "tiny", 1, (STOP,), "two coordinators, one of them the thread that the other stops", ("collect",)),
        Scope("coordinators-1", "tiny", 1, (STOP, STOP), "two coordinators beside one thread"),
        Scope("both-1", "tiny", 1, (STOP, INTERRUPT), "one posts while the other's request is being taken"),
        Scope("raise-two-1", "tiny", 1, (INTERRUPT, TERMINATE), "two requests that raise are taken at once", ("unwinding",)),
        Scope("interrupt-1-loops", "tiny", 1, (INTERRUPT,), "two back-edge opcodes: three trigger words, poisoned and restored one by one",
              widths=(("entry", 2),)),
        Scope("interrupt-1-deep", "tiny", 1, (INTERRUPT,), "two frames: an overflow that is not the first push", depth=2),
        Scope("three-posters-1", "small", 1, (INTERRUPT, TERMINATE, SAMPLE), "three posters, of three kinds, at one thread", ("unwinding",)),
        Scope("stop-terminate-1", "small", 1, (STOP, TERMINATE), "a stop comes while a thread unwinds", ("unwinding",)),
        Scope("interrupt-2", "small", 2, (INTERRUPT,), "a post to one thread must not disturb another"),
        Scope("stop-2", "small", 2, (STOP,), "one thread runs while the coordinator still waits for the other"),
        Scope("handshake-2", "small", 2, (HANDSHAKE,), "an operation on one thread while the other runs"),
        Scope("stop-handshake-1", "small", 1, (STOP, HANDSHAKE), "a thread that waits for an operation is asked to stop"),
        Scope("stop-blocking-1", "small", 1, (STOP, INTERRUPT), "a sleeper is stopped, woken, interrupted", ("blocking",)),
        Scope("stop-masks-1", "small", 1, (STOP, INTERRUPT), "a stop inside a critical section", ("masks",)),
        Scope("stop-handlers-1", "small", 1, (STOP, INTERRUPT), "a stop inside a handler", ("handlers",)),
        Scope("stop-limit-1", "small", 1, (STOP,), "a stop while the limit changes", ("limit",)),
        Scope("births-blocking-1", "small", 1, (STOP,), "threads that end and sleep", ("births", "blocking")),
        Scope("masks-handlers-1", "small", 1, BOTH, "a handler runs in a critical section, in which an interrupt waits", ("masks", "handlers")),
        Scope("masks-blocking-1", "small", 1, (INTERRUPT,), "a thread sleeps in a critical section: what it keeps for later must not be lost", ("masks", "blocking")),
        Scope("masks-collect-1", "small", 1, BOTH, "a thread that keeps an interrupt for later stops the world", ("masks", "collect")),
        Scope("masks-limit-1", "small", 1, (INTERRUPT,), "the limit changes while an interrupt is kept for later", ("masks", "limit")),
        Scope("handlers-blocking-1", "small", 1, BOTH, "a handler sleeps until a request is posted", ("handlers", "blocking")),
        Scope("handlers-collect-1", "small", 1, BOTH, "a handler stops the world", ("handlers", "collect")),
        Scope("handlers-limit-1", "small", 1, BOTH, "the handler of an overflow makes the stack grow, and calls on", ("handlers", "limit")),
        Scope("handlers-births-1", "small", 1, BOTH, "a thread ends in a handler, and another takes its place", ("handlers", "births")),
        Scope("blocking-collect-1", "small", 1, BOTH, "a thread sleeps and stops the world in turn, beside another coordinator", ("blocking", "collect")),
        Scope("blocking-limit-1", "small", 1, (INTERRUPT,), "a sleeper whose stack has grown is woken by a post, which poisons the new limit", ("blocking", "limit")),
        Scope("collect-limit-1", "small", 1, BOTH, "the limit of a thread that stops the world has changed, and is poisoned meanwhile", ("collect", "limit")),
        Scope("collect-births-1", "small", 1, BOTH, "a thread ends after it has stopped the world, and another takes its place", ("collect", "births")),
        Scope("limit-births-1", "small", 1, BOTH, "a thread begins on a stack that has grown, poisoned for the thread before it", ("limit", "births")),
        Scope("interrupt-handshake-1", "small", 1, (INTERRUPT, HANDSHAKE), "an interrupt is taken together with an operation"),
        Scope("sample-2", "small", 2, (SAMPLE,), "two threads are asked again and again, and neither ever unwinds for it"),
        Scope("interrupters-1", "small", 1, (INTERRUPT, INTERRUPT), "two requests of one kind at one thread: they coalesce, and none is lost"),
        Scope("samplers-1", "small", 1, (SAMPLE, SAMPLE), "the same of a request that raises nothing"),
        Scope("terminators-1", "small", 1, (TERMINATE, TERMINATE), "two terminations at once, and one while the other unwinds", ("unwinding",)),
        Scope("handshakers-1", "small", 1, (HANDSHAKE, HANDSHAKE), "a second operation is asked for while the first is"),
        Scope("sample-handshake-1", "small", 1, (SAMPLE, HANDSHAKE), "a sample is taken together with an operation"),
        Scope("terminate-handshake-1", "small", 1, (TERMINATE, HANDSHAKE), "an operation on a thread that unwinds", ("unwinding",)),
        *(Scope(f"{name}-{feature}-1", "small", 1, (role,), f"{what} a thread that does this: {SLICES[feature]}", (feature, *more))
          for name, role, what, more, features in (
              ("sample", SAMPLE, "a sample reaches", (), ("masks", "handlers", "blocking", "collect", "limit", "births")),
              ("terminate", TERMINATE, "a TERMINATE reaches", ("unwinding",), ("handlers", "blocking", "collect", "limit", "births")),
              ("handshake", HANDSHAKE, "an operation is asked of", (), ("masks", "unwinding", "handlers", "blocking", "collect", "limit")),
          ) for feature in features),
        Scope("membarrier-1", "tiny", 1, (STOP,), "a stop comes while a thread's return is still in its store buffer", ("membarrier",)),
        Scope("membarrier-handshake-1", "tiny", 1, (HANDSHAKE,), "an operation is claimed while its target's return is still in its store buffer", ("membarrier",)),
        Scope("work-1", "tiny", 1, (INTERRUPT,), "an interrupt comes in the middle of an instruction", ("work",)),
        Scope("leaving-1", "tiny", 1, (HANDSHAKE,), "an operation leaves guest code, run by its target or for it", ("leaving",)),
        Scope("asking-1", "tiny", 1, (STOP,), "a thread asks itself for an operation, and is asked to stop", ("asking",)),
        Scope("asking-2", "small", 2, (), "two threads ask each other for an operation", ("asking",), widths=CALLS),
        Scope("stop-leaving-1", "small", 1, (STOP, HANDSHAKE), "a stop comes while an operation is outside guest code", ("leaving",)),
        Scope("impatient-1", "tiny", 1, (IMPATIENT,), "a thread parks for a stop that is given up"),
        Scope("impatient-stop-1", "tiny", 1, (STOP, IMPATIENT), "a stop is given up while another waits for its turn"),
        Scope("exclusive-1", "tiny", 1, (STOP,), "a thread runs an operation while a coordinator stops the world", ("asking", "exclusive")),
        Scope("births-exclusive-1", "small", 1, (STOP, HANDSHAKE), "a thread begins that owes an operation, while the world is being stopped",
              ("births", "exclusive"), widths=CALLS),
        Scope("stop-exclusive-1", "small", 1, (STOP, HANDSHAKE), "a requester runs an operation while a coordinator stops the world", ("exclusive",)),
        Scope("fairness-1", "tiny", 1, (STOP,), "a coordinator stops the world again as soon as it has started it", ("fairness",)),
        Scope("fairness-2", "small", 2, (STOP,), "the world is stopped again while one of two threads is still held", ("fairness",), widths=CALLS),
        Scope("fairness-coordinators-1", "small", 1, (STOP, STOP), "two coordinators stop the world in turn", ("fairness",)),
        Scope("waking-1", "tiny", 1, (TERMINATE,), "a thread that sleeps is terminated", ("unwinding", "waking")),
        Scope("waking-2-posters-1", "small", 1, (STOP, INTERRUPT), "a thread that sleeps is stopped, and interrupted", ("waking",)),
        Scope("signal-1", "tiny", 1, (HANDLER,), "a thread is interrupted by a handler that runs between two of its own steps"),
        Scope("signal-interrupt-1", "small", 1, (HANDLER, INTERRUPT), "a handler posts while another requester does"),
        Scope("records-1", "tiny", 1, (FINDER,), "a thread ends while a requester that saw it alive posts to it", ("births", "records")),
        Scope("nesting-1", "tiny", 1, (STOP,), "a thread stops the world inside its stop, while another coordinator waits for its turn", ("nesting",)),
        Scope("nesting-2", "small", 2, (), "a thread stops the world inside its stop, while another runs", ("nesting",), widths=CALLS),
        # the rest that stays within five million states; and one that is for a mistake alone, which is found sooner
        Scope("loops-3", "nightly", 3, (SAMPLE,), "a third thread's claim stands where one of two looks for its own", ("loops",), widths=CALLS),
        Scope("interrupt-3", "nightly", 3, (INTERRUPT,), "a third thread is neither the target nor its neighbour", widths=CALLS),
        Scope("stop-3", "nightly", 3, (STOP,), "one thread has stopped, one is posted to, one has not been posted to yet", widths=CALLS),
        Scope("sample-3", "nightly", 3, (SAMPLE,), "three threads, asked again and again", widths=CALLS),
        Scope("both-2", "nightly", 2, BOTH, "an interrupt to one thread while the other is being stopped", widths=CALLS),
        Scope("coordinators-2", "nightly", 2, (STOP, STOP), "two coordinators meet two threads, of which each has stopped one"),
        Scope("interrupters-2", "nightly", 2, (INTERRUPT, INTERRUPT), "each thread, or one thread twice, is interrupted by two at once"),
        *(Scope(f"{feature}-2", "nightly", 2, (INTERRUPT,), f"what one thread does, the other must not notice: {what}", (feature,))
          for feature, what in SLICES.items()),
        *(Scope(f"stop-{feature}-2", "nightly", 2, (STOP,), f"a stop waits for one thread while the other still does this: {what}", (feature,))
          for feature, what in SLICES.items()),
        Scope("stop-masks-blocking-1", "nightly", 1, BOTH, "masks-blocking-1, with a stop as well", ("masks", "blocking")),
        Scope("stop-masks-limit-1", "nightly", 1, BOTH, "masks-limit-1, with a stop as well", ("masks", "limit")),
        Scope("stop-masks-births-1", "nightly", 1, BOTH, "late-post-1, with a stop as well", ("masks", "births")),
        Scope("stop-blocking-limit-1", "nightly", 1, BOTH, "blocking-limit-1, with a stop as well", ("blocking", "limit")),
        Scope("stop-blocking-births-1", "nightly", 1, BOTH, "births-blocking-1, with an interrupt as well", ("blocking", "births")),
        Scope("stop-posters-1", "nightly", 1, (STOP, INTERRUPT, SAMPLE), "a stop is taken together with a request that raises and one that does not"),
        Scope("masks-handlers-blocking-1", "nightly", 1, BOTH, "a handler sleeps in a critical section", ("masks", "handlers", "blocking")),
        Scope("masks-limit-births-1", "nightly", 1, BOTH, "what is kept for later must neither be lost by a grown stack nor found by a new thread", ("masks", "limit", "births")),
        Scope("handlers-collect-births-1", "nightly", 1, BOTH, "a handler stops the world, and its thread ends", ("handlers", "collect", "births")),
        Scope("everything-1", "nightly", 1, BOTH, "all features at once: what three of them do to each other, one thread can show", tuple(SLICES)),
    )
}  # fmt: skip

GROUPS = ("tiny", "small", "nightly")


def late() -> list[tuple[str, Scope]]:
    """What only a night has time for, with the memory model: the nightly group, of full guest code; and the small one with store buffers."""
    nightly = [("sc", s) for s in SCOPES.values() if s.group == "nightly" and not LESS.keys() & {*s.slices}]
    # (three posters with store buffers are more than five million states)
    return nightly + [("tso", s) for s in SCOPES.values() if s.group == "small" and len(s.roles) < 3]


def chosen(
    group: str,
    threads: int | None = None,
    slices: tuple[str, ...] | None = None,
    among: Mapping[str, Scope] = SCOPES,
) -> list[Scope]:
    """The scopes of a group and of those before it; `slices`: only those whose features are among these."""
    wanted = GROUPS[: GROUPS.index(group) + 1]
    return [
        s
        for s in among.values()
        if s.group in wanted and threads in (None, s.threads) and (slices is None or set(s.slices) <= set(slices))
    ]


def not_written_for(scope: Scope, policy: Policy) -> str:
    """Why a scope says nothing of a policy: it has features that the policy's text is not written for; "" if it has none."""
    if not (more := [feature for feature in scope.slices if feature not in policy.slices]):
        return ""
    fits = [each.name for each in POLICIES.values() if is_ours(policy) and {*scope.slices} <= {*each.slices}]
    another = "".join(f"; or write: -p {name}" for name in fits[:1])
    return (
        f"scope {scope.name}: the text of policy {policy.name} is not written for {', '.join(more)}"
        f" (choose a scope without; it is written for: {', '.join(policy.slices) or 'none'}{another})"
    )


def not_combined(group: str = "nightly") -> list[str]:
    """What was not explored: pairs of features, of requesters, and of both, that no scope of the group or a smaller one has together."""
    scopes = chosen(group)
    features = [f"{a} + {b}" for a, b in combinations(SLICES, 2) if not any({a, b} <= set(s.slices) for s in scopes)]
    roles = list(dict.fromkeys(role for s in scopes for role in s.roles if role not in APART))
    posters = [f"{a} + {b}" for a, b in combinations(roles, 2) if not any({a, b} <= set(s.roles) for s in scopes)]
    posters += [f"two of {role}" for role in roles if not any(s.roles.count(role) > 1 for s in scopes)]
    posters += [
        f"{role} + {f}" for role in roles for f in SLICES if not any(role in s.roles and f in s.slices for s in scopes)
    ]
    threads = max((s.threads for s in scopes if len(s.slices) > 1), default=0)
    return [
        *features,
        *posters,
        f"most of what stands apart with other features and requesters: {', '.join([*VARIANTS, *APART])}",
        f"two features in more than {threads} thread",
    ]
