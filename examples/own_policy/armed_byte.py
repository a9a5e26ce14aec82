"""Trigger of a VM that is made up: a byte in the thread's record. A call tests it, and so does every second back-edge.

A loop is unrolled twice, and pays for one test in two turns: so its bound is 2.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import decide_push, push_failed
from safepoint.protocol.words import GO, Me


class Armed(Me):
    armed: Trigger          # shared; its poison: the thread is to look
    odd: int                # its owner's alone; 1: the next back-edge tests the byte


def frame_push(t: Armed, end: int) -> int:
    if t.armed.load() == t.armed.poison:
        return push_failed(t, end)
    return decide_push(t, end)


def back_edge(t: Armed, word: Trigger) -> int:
    if t.odd == 0:
        t.odd = 1
        return GO
    t.odd = 0
    if mutant("tested-at-calls-only", breaks="POISON-EVERY-WORD"):
        return GO
    if t.armed.load() == t.armed.poison:                # POISON-EVERY-WORD: a site for each way to run for ever
        return slow_path(t)
    return GO


def add(t: Armed, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Armed) -> None:
    t.armed.store(t.armed.poison)                       # POISON-EVERY-WORD


def restore(t: Armed) -> None:
    if mutant("stays-armed", breaks="OWNER-RESTORES"):
        return
    t.armed.store(t.armed.real)                         # OWNER-RESTORES


def take(t: Armed) -> int:
    return take_pending(t)


def look(t: Armed) -> int:
    return look_pending(t)


def drop(t: Armed) -> int:
    return drop_pending(t)
