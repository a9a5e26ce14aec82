"""THE PROTOCOL: what each file of `triggers` defines: the procedures in which VMs differ, in this order.

The core calls them by these names; a policy names the file that has them.  These declarations give them types, and no steps.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger
from safepoint.protocol.words import Me, Thread


def frame_push(t: Me, end: int) -> int:
    """The check site of a call that wants a frame ending at `end`.  Returns an outcome; on GO the frame is pushed."""
    raise NotImplementedError


def back_edge(t: Me, word: Trigger) -> int:
    """The check site of an instruction that jumps backward and is dispatched through `word`.  Returns an outcome."""
    raise NotImplementedError


def elsewhere(t: Me) -> int:
    """The check site of a return, or of an allocation.  Only of triggers that have a policy which checks there.  Returns an outcome."""
    raise NotImplementedError


def add(t: Thread, kind: int) -> None:
    """Requester, or an owner that gives back: make the request pending."""
    raise NotImplementedError


def poison(t: Thread) -> None:
    """Make every check of t fail.  Any thread may, at any time, also with nothing to ask."""
    raise NotImplementedError


def restore(t: Me) -> None:
    """Owner only: make every check of t pass again."""
    raise NotImplementedError


def take(t: Me) -> int:
    """Take all deliverable requests in one atomic step: at every instant a request is pending or held by its owner.

    Returns their bits.
    """
    raise NotImplementedError


def look(t: Me) -> int:
    """Which requests could be taken now?  For an owner whose poison may have been spent: after a mask, before a sleep."""
    raise NotImplementedError


def came_back(t: Me) -> None:
    """Owner, back in guest code: what others may have restored while it was outside fails again, if t has been asked.

    Only of triggers with a word that all threads check, so that not only its owner restores it.
    """
    raise NotImplementedError


def drop(t: Me) -> int:
    """At a birth: take all that is pending in the record, whichever thread it was meant for.  Returns its bits."""
    raise NotImplementedError
