"""Valid traces written by hand, an event a line: `WHO KIND [to WHOM] [what]`; who begins with R is a requester."""

from __future__ import annotations

import io

import msgspec

from safepoint.trace.events import EVENTS, Event
from safepoint.trace.files import write_trace
from safepoint.trace.lines import RULES, VERSION, Header
from safepoint.trace.verdict import Verdict, judge

Script = list[str]


def post(who: str, to: str, kind: str) -> Script:
    return [
        f"{who} posted {to} {kind}",
        f"{who} poisoned {to} limit",
        f"{who} poisoned {to} entry[0]",
        f"{who} woken {to}",
    ]


def slow(who: str, site: str, kind: str) -> Script:
    """A pass through the slow path that finds this kind."""
    served = [f"{who} served {kind}"] if kind not in ("", "HANDSHAKE") else []
    return [
        f"{who} entered {site}",
        f"{who} restored limit",
        f"{who} restored entry[0]",
        f"{who} took {kind}".strip(),
        *served,
    ]


def stop(who: str, *threads: str) -> Script:
    return [f"{who} locked", f"{who} stop-requested", *(line for t in threads for line in post(who, t, "STOP"))]


def start(who: str) -> Script:
    return [f"{who} stop-released", f"{who} unlocked"]


INTERRUPT: Script = [
    "T0 pushed",
    *post("R", "T0", "INTERRUPT"),
    *slow("T0", "push", "INTERRUPT"),
    "T0 looped",
    "T1 looped",
]
STOP: Script = [
    "T1 native-entered", *stop("C", "T0", "T1"), *slow("T0", "back-edge", "STOP"), "T0 parked", "C stop-reached",
    *start("C"), "T0 resumed", "T0 pushed", "T1 native-left", *slow("T1", "push", "STOP"), "T1 parked", "T1 resumed", "T1 looped",
]  # fmt: skip
RETURN: Script = [
    "T0 native-entered", "T1 native-entered", *stop("C", "T0", "T1"), "C stop-reached", "T0 native-left", "T0 parked", *start("C"),
    "T0 resumed", *slow("T0", "push", "STOP"), "T0 parked", "T0 resumed", "T0 looped",
]  # fmt: skip
OWN: Script = [
    "R handshake-asked T0", *post("R", "T0", "HANDSHAKE"), *slow("T0", "push", "HANDSHAKE"), "T0 handshake-claimed T0",
    "T0 handshake-run T0", "T0 handshake-done T0", "T0 pushed",
]  # fmt: skip
FOR_IT: Script = [
    "T0 native-entered", "R handshake-asked T0", *post("R", "T0", "HANDSHAKE"), "R handshake-claimed T0", "R handshake-run T0",
    "T0 native-left", "R handshake-done T0", *slow("T0", "push", "HANDSHAKE"), "T0 looped",
]  # fmt: skip
BACK_OFF: Script = [
    "T0 native-entered", "R handshake-asked T0", *post("R", "T0", "HANDSHAKE"), "T0 native-left", "R handshake-claimed T0",
    "R handshake-backed-off T0", *post("R", "T0", "HANDSHAKE"), *slow("T0", "push", "HANDSHAKE"), "T0 handshake-claimed T0",
    "T0 handshake-run T0", "T0 handshake-done T0", "T0 looped",
]  # fmt: skip
MASK: Script = [
    "T0 masked", *post("R", "T0", "INTERRUPT"), *slow("T0", "push", ""), "T0 looped", "T0 unmasked", *slow("T0", "look", "INTERRUPT"),
    "T0 looped",
]  # fmt: skip
SLEEP: Script = [
    "T0 blocked", "T0 native-entered", *post("R", "T0", "SAMPLE"), "T0 native-left", *slow("T0", "push", "SAMPLE"), "T0 looped",
]  # fmt: skip
BIRTH: Script = [
    "T0 exited", "R posted T0 INTERRUPT", "R poisoned T0 limit", "T0 restored limit", "T0 restored entry[0]", "R poisoned T0 entry[0]",
    "R woken T0", "T0 cleared", "T0 spawned", "T0 pushed", *slow("T0", "back-edge", ""), "T0 looped",
]  # fmt: skip
TWO: Script = [
    *stop("C", "T0", "T1"), *slow("T0", "push", "STOP"), "T0 parked", *slow("T1", "push", "STOP"), "T1 parked", "C stop-reached",
    *start("C"), "D locked", "T0 resumed", "T1 resumed", "D stop-requested", "T0 parked",
]  # fmt: skip

VALID = {
    "interrupt": INTERRUPT, "stop": STOP, "return": RETURN, "own": OWN, "for-it": FOR_IT, "back-off": BACK_OFF, "mask": MASK,
    "sleep": SLEEP, "birth": BIRTH, "two": TWO,
}  # fmt: skip


def events(script: Script) -> list[Event]:
    """One after the other: no two overlap."""
    return [_event(line, 2 * number) for number, line in enumerate(script)]


def _event(line: str, stamp: int) -> Event:
    by, kind, *rest = line.split()
    cls = EVENTS[kind]
    fields: dict[str, object] = {"seq": 0, "chain": 0, "by": by, "before": stamp, "after": stamp + 1}
    for name in cls.__struct_fields__[5:]:
        if name == "kinds":
            fields[name], rest = rest, []
        elif rest:
            fields[name] = rest.pop(0)
    return msgspec.convert(fields, cls)


def header(policy: str = "folded", threads: tuple[str, ...] = ("T0", "T1"), **more: object) -> Header:
    fields = {"seq": 0, "chain": 0, "format": "safepoint-trace", "version": VERSION, "rules": RULES, "vm": "a test"}
    return msgspec.convert({**fields, "policy": policy, "threads": threads, "running": threads, **more}, Header)


def written(head: Header, lines: list[Event]) -> bytes:
    file = io.BytesIO()
    write_trace(file, head, lines)
    return file.getvalue()


def judged(data: bytes) -> Verdict:
    return judge(io.BytesIO(data), "trace")
