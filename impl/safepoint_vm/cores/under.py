"""The phases of a campaign under each policy: programs that its text is written for, in whose loops its checks see a request.

Under a policy whose loops check nothing, each loop of a program pushes frames; under one that checks at allocations, each call displays
a list.  A ticker, or a budget, is LONG in a duel: so that a request which only its expiry shows is told from one that the next check
sees, whatever the slack.
"""

from __future__ import annotations

from dataclasses import replace

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.features import NotWrittenFor, refuse
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import INTERRUPT, STOP, TERMINATE
from safepoint_vm.cores import programs
from safepoint_vm.cores.emitter import BOTH
from safepoint_vm.cores.phases import CAMPAIGN, CROWDED, HINTS, OUTSIDE, PAIR, PAIRS, RUNS, Phase, Requester, ping
from safepoint_vm.handlers.shared.checks import CHECK_MUTANTS

CODE_FORGOTTEN = "code-forgotten"
"""The mutant of trigger `patched_jumps` that a thread alone shows, if it is in a compiled loop."""
LONG = 4096
"""Of a ticker or budget, in checks: 32 times the slack of a count."""
EVERYTHING = ("masks", "blocking", "collect", "births")
"""The features that the phases of folded need, but for TERMINATE, which needs `unwinding`."""
LEFT_OUT = {
    "births": "begin and end",
    "blocking": "sleep, or wait for each other",
    "masks": "are in a critical section",
}
"""Feature that the storm of everything needs -> what a campaign without it has not."""
RAISES = INTERRUPT | TERMINATE
STORM_ALONE = (
    Requester("storm", 0.3, {"kind": HINTS, "pause": 2047, "rest": 50}),
    Requester("storm", 0, {"kind": STOP, "rest": 20}, "reenter"),
    Requester("stops", 0, CROWDED | {"rest": 200}),
    Requester("stops", 0, CROWDED | {"rest": 300}),
    Requester("handshakes", 0, CROWDED | {"rest": 100}),
    ping(0, CROWDED | {"rest": 100}),
)
SEVERAL = (
    ping(0.05, CROWDED),
    Requester("stops", 0, CROWDED | {"rest": 20}),
    Requester("stops", 0, CROWDED | {"rest": 20}),
)
NATIVE = (
    ping(0.05, PAIR | CROWDED),
    Requester("stops", 0, CROWDED | {"rest": 20}),
    Requester("handshakes", 0, CROWDED | {"rest": 20}),
)


def loops_are_seen(policy: Policy) -> bool:
    """Does a loop that only jumps see a request?"""
    return policy.declared.back_edges is not None


def has_everything(policy: Policy) -> bool:
    """Are the phases those of folded?"""
    return loops_are_seen(policy) and {*EVERYTHING} <= {*policy.slices}


def campaign_for(policy: Policy) -> tuple[Phase, ...]:
    """The phases of a campaign under a policy."""
    phases = CAMPAIGN if has_everything(policy) else _without_everything(policy)
    return tuple(fitted(phase, policy) for phase in phases)


def _without_everything(policy: Policy) -> tuple[Phase, ...]:
    calls, loop = programs.CALLS, programs.LOOP
    births, masks = "births" in policy.slices, "masks" in policy.slices
    alone = programs.ALONE_MASKED if masks else programs.ALONE
    one = Phase("one by one, in a loop", loop, 0.1, (ping(0.1),), measured=True, duel=True)
    return (
        *((one,) if loops_are_seen(policy) else ()),
        Phase("one by one, in calls", calls, 0.2, (ping(0.1),), measured=True, duel=True),
        Phase("in pairs", calls, 0.1, (ping(0.1, PAIR),), duel=True),
        Phase("native regions", native_of(policy), 0.15, NATIVE),
        Phase("stops of several", programs.APART, 0.15, SEVERAL)
        if births
        else Phase("stops of one", calls, 0.15, SEVERAL),
        Phase("everything of one, wide windows", alone, 0.15, STORM_ALONE, jitter=BOTH),
        Phase("everything of one", alone, 0.15, STORM_ALONE),
    )


def native_of(policy: Policy) -> str:
    """A program that leaves guest code and comes back, and sleeps, if the policy's text has that."""
    return programs.NATIVE if loops_are_seen(policy) and "blocking" in policy.slices else programs.PRINTS


def alone_in(policy: Policy) -> tuple[Phase, ...]:
    """One post at a time to a thread that only loops, and to one that long only calls: what a check left out shows."""
    long_calls = programs.CALLS.replace("fib(10)", "fib(16)")
    phases = (
        *(
            (Phase("one by one, in a loop", programs.LOOP, 0.5, (ping(0.5),), duel=True),)
            if loops_are_seen(policy)
            else ()
        ),
        Phase("one by one, in long calls", long_calls, 0.5, (ping(0.5),), duel=True),
    )
    return tuple(fitted(phase, policy) for phase in phases)


def phases_under(policy: Policy, mutant: str, losing: tuple[Phase, ...]) -> tuple[Phase, ...]:
    """Those that show a mutant under a policy; `losing`: those of folded."""
    if policy is FOLDED:
        return losing
    if mutant in (*CHECK_MUTANTS, CODE_FORGOTTEN):
        return alone_in(policy)
    chosen = OUTSIDE if mutant in RUNS else PAIRS if losing == PAIRS else (*PAIRS, *OUTSIDE)
    found = []
    for phase in chosen:
        if phase.source == programs.LOOP and not loops_are_seen(policy):
            continue
        source = native_of(policy) if phase.source == programs.NATIVE else phase.source
        found.append(fitted(replace(phase, source=source), policy))
    return tuple(found)


def fitted(phase: Phase, policy: Policy) -> Phase:
    """The phase, as the policy needs it.

    It has a long ticker or budget where one request at a time is posted; allocations, where these are seen; posts aimed at the slow path
    that there is, and no TERMINATE where nothing unwinds.
    """
    if policy.period and phase.duel:
        phase = replace(phase, period=LONG)
    if "allocation" in policy.sites:
        phase = replace(phase, source=programs.allocating(phase.source))
    return replace(phase, requesters=tuple(_asking(each, policy) for each in phase.requesters))


def _asking(requester: Requester, policy: Policy) -> Requester:
    if "push" not in policy.sites and requester.aim == "push_failed":
        requester = replace(requester, aim="slow_path")
    if "unwinding" not in policy.slices and requester.settings.get("kind") == RAISES:
        requester = replace(requester, settings={**requester.settings, "kind": INTERRUPT})
    return requester


def is_written_for(policy: Policy, source: str) -> bool:
    """Has the policy's text the features that a program needs?"""
    try:
        refuse(compile_program(source, "campaign"), policy)
    except NotWrittenFor:
        return False
    return True


def not_claimed(policy: Policy) -> str:
    """What a campaign under the policy has not, in words; "": nothing."""
    said = [f"threads that {what}" for feature, what in LEFT_OUT.items() if feature not in policy.slices]
    if not has_everything(policy):
        said.append("what raises")
    elif "unwinding" not in policy.slices:
        said.append("TERMINATE")
    if not loops_are_seen(policy):
        no = "allocate nothing" if "allocation" in policy.sites else "push no frame"
        said.append(f"loops that {no}: no request is seen there, and none is posted")
    return "; ".join(said)
