"""A coordinator may walk its threads in any order: the header's is only where the acceptor begins."""

from __future__ import annotations

import io
from random import Random

import pytest

from safepoint.protocol.policies import POLICIES
from safepoint.trace.files import write_trace
from safepoint.trace.verdict import NoVerdict, Verdict, judge
from tests.trace import walks
from tests.trace.scripts import Script, events, header, judged, slow, start, stop, written

NATIVE: Script = ["T0 native-entered", "T1 native-entered", "T2 native-entered"]
THREE = ("T0", "T1", "T2")


def verdict(script: Script, silent: tuple[str, ...] = (), running: tuple[str, ...] = THREE) -> Verdict:
    logged = [line for line in script if line.split()[1] not in silent]
    return judged(written(header(threads=THREE, silent=silent, running=running), events(logged)))


@pytest.mark.parametrize("silent", [(), ("posted",), ("posted", "poisoned")], ids=len)
@pytest.mark.parametrize("order", [("T1", "T0", "T2"), ("T2", "T1", "T0"), ("T0", "T2", "T1")], ids="-".join)
def test_the_order_of_the_header_is_not_asked_for(order: tuple[str, ...], silent: tuple[str, ...]) -> None:
    script = [*NATIVE, *stop("C", *order), "C stop-reached", *start("C"), *stop("D", *order), "D stop-reached"]
    found = verdict(script, silent)
    assert (found.refusal, found.walked) == (None, order)
    in_order = [*NATIVE, *stop("C", *THREE), "C stop-reached"]
    assert verdict(in_order, silent).walked == ()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_path_of_the_explorer_is_accepted_with_the_threads_the_other_way_round(policy: str) -> None:
    model = walks.model_of(policy, "stop-2")
    walk = walks.Walk(model, Random(3))
    walk.run(150)
    assert sum(kind == "stop-requested" for _, (kind, *_) in walk.events) >= 2
    head = walks.header(model)
    names, head.threads = head.threads, head.threads[::-1]
    file = io.BytesIO()
    write_trace(file, head, walks.stamped(walk, names, Random(3), 2))
    file.seek(0)
    found = judge(file, "walk")
    assert (found.refusal, found.walked) == (None, tuple(names))


def test_a_thread_that_a_stop_leaves_out_is_refused_and_not_taken_for_an_order() -> None:
    refusal = verdict([*NATIVE, *stop("C", "T0", "T2"), "C stop-reached", *start("C"), *stop("C", "T1")]).refusal
    assert refusal is not None
    assert (refusal.event, refusal.rule, refusal.passed_over) == ("posted to T2 STOP", "STOP-AWAITS-ALL", "T1")


def test_what_is_wrong_after_it_is_refused_with_its_own_rule() -> None:
    script = [*NATIVE[1:], *stop("C", "T1", "T0", "T2"), *slow("T0", "push", "STOP"), "T0 parked", "T0 looped"]
    refusal = verdict(script).refusal
    assert refusal is not None
    assert (refusal.line, refusal.event, refusal.rule) == (1 + len(script), "looped", "STOP-PARKS")


def test_one_that_is_asked_twice_is_refused() -> None:
    script = [*NATIVE, *stop("C", "T1", "T1", "T0", "T2"), "C stop-reached"]
    refusal = verdict(script).refusal
    assert refusal is not None
    assert refusal.line == 2 + script.index("C posted T1 STOP", script.index("C posted T1 STOP") + 1)


@pytest.mark.parametrize(
    ("second", "running"),
    [(("T0", "T1", "T2"), THREE), (("T2", "T0", "T1"), THREE), (("T1", "T0"), ("T0", "T1"))],
    ids=str,
)
def test_orders_that_change_have_no_verdict(second: tuple[str, ...], running: tuple[str, ...]) -> None:
    """Neither is it a refutation, nor is a rule named."""
    first = ("T1", "T2", "T0") if running == THREE else ("T2", "T0", "T1")
    script = [
        *NATIVE[: len(running)],
        *stop("C", *first),
        "C stop-reached",
        *start("C"),
        *stop("C", *second),
        "C stop-reached",
    ]
    with pytest.raises(NoVerdict) as error:
        verdict(script, running=running)
    said = str(error.value)
    line = 2 + script.index(f"C posted {first[0]} STOP")
    assert said.startswith(
        f"trace:{line}: C: posted to {first[0]} STOP comes before T0, which the header has first (write `threads` in"
    )
    assert said.endswith(f"here in the order {', '.join(first)})")
    assert "POST" not in said.replace("posted", "")


def test_a_pipe_cannot_be_read_again() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    script = [*NATIVE, *stop("C", "T1", "T0", "T2"), "C stop-reached"]
    with pytest.raises(NoVerdict, match=r"in each stop; or give a file: a pipe can be read only once\)$"):
        judge(Pipe(written(header(threads=THREE), events(script))), "trace")


def test_a_trace_without_events_has_no_verdict() -> None:
    with pytest.raises(NoVerdict, match=r"^trace:2: no event, so nothing was judged \(check that logging is on"):
        judged(written(header(), []))
