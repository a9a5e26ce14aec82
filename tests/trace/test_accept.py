"""What the acceptor makes of overlaps, of what is not logged, and of the declared bound."""

from __future__ import annotations

import pytest

from safepoint.graph import ir
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Bound
from safepoint.trace.events import EVENTS, Event
from safepoint.trace.layout import GUEST, Layout
from safepoint.trace.observe import LOCAL, PASSED, kinds_of
from safepoint.trace.verdict import Verdict
from tests.trace.scripts import STOP, VALID, Script, events, header, judged, post, written

CPYTHON: Script = [
    "T0 looped",
    "R posted T0 INTERRUPT",
    "T0 looped",
    "T0 looped",
    "T0 entered back-edge",
    "T0 took INTERRUPT",
    "T0 served INTERRUPT",
]


def verdict(script: Script, spans: dict[str, tuple[int, int]] | None = None, **head: object) -> Verdict:
    """`spans`: line -> its stamps, in tenths of a line's place, in place of its own."""
    lines = events(script)
    for event, line in zip(lines, script, strict=True):
        event.before, event.after = (spans or {}).get(line, (10 * event.before, 10 * event.after))
    return judged(written(header(**head), lines))  # type: ignore[arg-type]


def test_every_step_that_changes_a_word_is_an_event_under_every_policy() -> None:
    """The table between the text and the events is complete: nothing in a run is without a name."""
    seen: set[str] = set()
    for policy in POLICIES:
        layout = Layout(header(policy))
        for graph in layout.graphs.values():
            for step in graph.steps:
                if (
                    step.cell is not None
                    and step.op != "load"
                    and not (step.op == "cas" and step.operands[0] == step.operands[1])
                ):
                    assert kinds_of(graph, step), f"{step.file}:{step.line}: {step.source}"
                seen |= kinds_of(graph, step)
    assert seen | {*PASSED.values(), "entered", *LOCAL} == {*EVENTS}
    assert any(isinstance(tree, ir.Ghost) for tree in Layout(header()).graphs[GUEST].trees)


def test_what_overlaps_may_have_happened_in_either_order() -> None:
    """The entry comes first in the file; the poison that it saw was stored while it was being made."""
    script = [*VALID["stop"]]
    script.remove("T0 entered back-edge")
    script.insert(script.index("C poisoned T0 entry[0]"), "T0 entered back-edge")
    assert verdict(script).refusal is not None
    at = 20 * script.index("T0 entered back-edge")
    found = verdict(script, {"T0 entered back-edge": (at, at + 25)})
    assert found.refusal is None


def test_an_interval_that_ends_before_its_cause_begins_is_refused() -> None:
    script = [*VALID["stop"]]
    script.remove("T0 entered back-edge")
    script.insert(script.index("C poisoned T0 entry[0]"), "T0 entered back-edge")
    at = 20 * script.index("T0 entered back-edge")
    refusal = verdict(script, {"T0 entered back-edge": (at, at + 15)}).refusal
    assert refusal is not None
    assert (refusal.by, refusal.event, refusal.line) == (
        "T0",
        "entered back-edge",
        2 + script.index("T0 entered back-edge"),
    )


@pytest.mark.parametrize(
    ("took", "accepted"),
    [("INTERRUPT", True), ("SAMPLE", True), ("INTERRUPT SAMPLE", True), ("TERMINATE", False), ("", False)],
)
def test_candidates_are_kept_until_a_value_decides(took: str, accepted: bool) -> None:
    """Two posts overlap a whole slow path: the one or the other came before the look; what was taken says which, or both.

    That both did is no third candidate: in each of the two, the other post may still come.
    """
    script = ["R posted T0 INTERRUPT", "Q posted T0 SAMPLE", "T0 entered back-edge", f"T0 took {took}".strip()]
    spans = {script[0]: (0, 90), script[1]: (1, 91), script[2]: (20, 30), script[3]: (40, 50)}
    found = verdict(script, spans, policy="cpython")
    assert (found.refusal is None) == accepted
    assert found.candidates == 2


@pytest.mark.parametrize(
    "kind", ["poisoned", "restored", "woken", "entered", "served", "took", "parked", "pushed", "looped"]
)
def test_a_kind_that_is_not_logged_is_not_judged_and_the_verdict_says_so(kind: str) -> None:
    script = [line for line in STOP if line.split()[1] != kind]
    assert verdict(script).refusal is not None or kind in ("pushed", "looped")
    found = verdict(script, silent=[kind])
    assert found.refusal is None
    assert found.not_judged == {kind: EVENTS[kind].unjudged}


def test_every_kind_says_what_is_not_judged_without_it() -> None:
    assert all(issubclass(cls, Event) and cls.unjudged for cls in EVENTS.values())


def test_a_world_that_logs_no_poison_is_held_to_the_bound() -> None:
    """Nothing says which check could see the request: the declared bound still counts them."""
    script = ["R posted T0 INTERRUPT", "R woken T0", "T0 pushed", "T0 looped"]
    refusal = verdict(script, silent=["poisoned", "restored"]).refusal
    assert refusal is not None
    assert refusal.why == "frame push 1 since a complete post passes, and the declared bound is 1"
    assert verdict(
        ["R posted T0 INTERRUPT", "R woken T0", "T0 entered push"], silent=["poisoned", "restored"]
    ).worst == Bound(1, 0)


def test_a_tickers_bound_is_its_period() -> None:
    def world(checks: int) -> Verdict:
        lost = ["T0 pushed", "R posted T0 SAMPLE", "R poisoned T0 ticker", "T0 counted", "R woken T0"]
        return verdict(
            [*lost, *["T0 pushed", "T0 counted"] * checks, "T0 entered push"], policy="pypy", period=5,
        )  # fmt: skip

    assert world(4).refusal is None
    assert world(4).worst == Bound(5, 0)
    early, late = world(3).refusal, world(5).refusal
    assert early is not None
    assert early.event == "entered push"
    assert late is not None
    assert (late.rule, late.event) == ("EXPIRED-IS-SEEN", "pushed")


def test_flag_bits_have_no_poison() -> None:
    found = verdict(
        [
            "R posted T0 INTERRUPT",
            "R woken T0",
            "T0 entered back-edge",
            "T0 took INTERRUPT",
            "T0 served INTERRUPT",
            "T0 looped",
        ],
        policy="cpython",
    )
    assert found.refusal is None
    refusal = verdict(CPYTHON, policy="cpython", silent=["woken"]).refusal
    assert refusal is not None
    assert refusal.event == "looped"


def test_a_thread_that_begins_later_is_born() -> None:
    born = ["T1 restored limit", "T1 restored entry[0]", "T1 cleared", "T1 spawned", "T1 looped"]
    assert verdict(born, running=["T0"]).refusal is None
    refusal = verdict(born[3:], running=["T0"]).refusal
    assert refusal is not None
    assert refusal.event == "spawned"


def test_what_never_happened_is_named() -> None:
    found = verdict(post("R", "T0", "SAMPLE"))
    assert "handshake-asked" in found.absent
    assert "posted" not in found.absent
    assert "counted" not in found.absent  # no event of this policy


def test_a_stop_may_pass_over_a_thread_that_has_not_begun_and_no_other() -> None:
    """How many threads there are grows while it runs; who has begun has to be asked."""
    born = ["T1 restored limit", "T1 restored entry[0]", "T1 cleared", "T1 spawned", "T1 looped"]
    one = ["T0 native-entered", "C locked", "C stop-requested", *post("C", "T0", "STOP"), "C stop-reached"]
    assert verdict([*one, "C stop-released", "C unlocked", *born], running=["T0"]).refusal is None
    refusal = verdict([*born, *one], running=["T0"]).refusal
    assert refusal is not None
    assert (refusal.by, refusal.event) == ("C", "stop-reached")


def test_a_hidden_look_may_follow_a_hidden_look_while_a_state_changes() -> None:
    """The asker looks at the operation, then at the state, which is about to change: its wake and that change overlap."""
    script = [
        "T0 native-entered", "R handshake-asked T0", "R posted T0 HANDSHAKE", "R poisoned T0 limit", "R poisoned T0 entry[0]", "R woken T0",
        "T0 native-left", "R handshake-claimed T0", "R handshake-backed-off T0",
    ]  # fmt: skip
    assert verdict(script, {"R woken T0": (100, 135), "T0 native-left": (110, 130)}).refusal is None
