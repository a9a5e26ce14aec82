"""The declared bound, counted along a trace: checks that pass between a complete post and the slow path of its target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from safepoint.protocol.policy import FURTHER, Bound, Checks
from safepoint.protocol.words import INTERRUPT, TERMINATE
from safepoint.trace.events import Event
from safepoint.trace.layout import Layout
from safepoint.trace.observe import Said

CHECKS = {"pushed": "frame push", "looped": "back-edge", "checked": "check elsewhere"}
"""Event to the kind of check that has passed."""
AT = {"push": "frame push", "back-edge": "back-edge", "elsewhere": "check elsewhere"}
"""Site of a slow path to the kind of check that has failed."""


def most_of(declared: Bound) -> dict[str, Checks]:
    """Kind of check to how many a request may wait for.  No policy checks both at returns and at allocations."""
    elsewhere = declared.returns if declared.returns is not None else declared.allocations
    return {"frame push": declared.frames, "back-edge": declared.back_edges, "check elsewhere": elsewhere}


NONE: Counter[str] = Counter()
Bounded = Callable[[int, Said, Event], None]
"""Counts an event, by its actor and what it says.  Raises Late."""


class Late(Exception):
    """A check passed that the declared bound does not allow: says how many there were."""


@dataclass(slots=True)
class _Post:
    """kinds: bits.  missing: trigger words that are not poisoned yet.  since: the stamp from which on its checks are counted."""

    target: int
    kinds: int
    missing: set[str]
    since: int | None = None


class Bounds:
    """worst: the most checks of each kind, up to and including the one that saw a request."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.most = most_of(layout.declared)
        self.worst = dict.fromkeys(self.most, 0)
        needed = layout.poisoned if "poisoned" not in layout.silent else frozenset()
        self._needed = needed
        self._posts: dict[int, _Post] = {}  # by who posts
        self.waiting: dict[int, list[_Post]] = {}  # by target
        self._passed: dict[int, Counter[str]] = {}
        self._took: dict[int, int] = {}  # by target: the stamp after its last take
        self._masked: set[int] = set()
        self._terminated: set[int] = set()
        self.judged = not {"posted", "entered", "took"} & layout.silent
        self._of: dict[str, Bounded] = {
            "pushed": self._check, "looped": self._check, "checked": self._check, "entered": self._enters, "took": self._takes, "cleared": self._takes,
            "posted": self._posted, "poisoned": self._poisoned, "masked": self._mask, "unmasked": self._unmask,
            "exited": self._exit, "served": self._served,
        }  # fmt: skip

    def of(self, kind: str) -> Bounded | None:
        """What is to be told of each event of a kind, as it begins; None: the kind matters for no bound.

        Of a check only if its actor is in `waiting`.
        """
        return self._of.get(kind)

    def found(self) -> Bound:
        """`worst`, as a policy declares its bound."""
        frames, back_edges, elsewhere = self.worst.values()
        further = {kind: elsewhere for kind, site in FURTHER.items() if site in self.layout.policy.sites}
        return Bound(frames, back_edges, **further)

    def _enters(self, actor: int, said: Said, event: Event) -> None:
        if actor in self.waiting:
            self._saw(actor, said, event)
            self._passes_no_more(actor)

    def _takes(self, actor: int, said: Said, event: Event) -> None:
        if actor in self.waiting:
            self._passes_no_more(actor)
        self._took[actor] = event.after
        self._posts = {by: post for by, post in self._posts.items() if post.target != actor}

    def _passes_no_more(self, actor: int) -> None:
        del self.waiting[actor]
        self._passed.pop(actor, None)

    def _mask(self, actor: int, said: Said, event: Event) -> None:
        self._masked.add(actor)

    def _unmask(self, actor: int, said: Said, event: Event) -> None:
        self._masked.discard(actor)
        self.waiting.pop(actor, None)  # the look there sees them

    def _exit(self, actor: int, said: Said, event: Event) -> None:
        self.waiting.pop(actor, None)

    def _served(self, actor: int, said: Said, event: Event) -> None:
        if said[2] == TERMINATE:
            self._terminated.add(actor)

    def _posted(self, actor: int, said: Said, event: Event) -> None:
        owner, detail = said[1], said[2]
        target = owner if isinstance(owner, int) else actor
        assert isinstance(detail, int)
        if self._took.get(target, -1) > event.before:
            return  # that take may have been later
        self._posts[actor] = post = _Post(target, detail, {*self._needed})
        if not post.missing:
            self._complete(post, actor, event)

    def _poisoned(self, actor: int, said: Said, event: Event) -> None:
        post, word = self._posts.get(actor), said[2]
        if post is not None:
            post.missing.discard(str(word))
            if not post.missing:
                self._complete(post, actor, event)

    def _complete(self, post: _Post, actor: int, event: Event) -> None:
        post.since = event.after
        self.waiting.setdefault(post.target, []).append(post)
        del self._posts[actor]

    def _due(self, actor: int, event: Event) -> bool:
        """Is a request that it may deliver completely posted before this check began?"""
        held = (INTERRUPT if actor in self._masked else 0) | (TERMINATE if actor in self._terminated else 0)
        return any(
            post.since is not None and post.since < event.before and post.kinds & ~held for post in self.waiting[actor]
        )

    def _check(self, actor: int, said: Said, event: Event) -> None:
        if not self.judged or not self._due(actor, event):
            return
        which = CHECKS[said[0]]
        passed = self._passed.setdefault(actor, Counter())
        passed[which] += 1
        most = self.most[which]
        if isinstance(most, int) and passed[which] >= most:
            raise Late(f"{which} {passed[which]} since a complete post passes, and the declared bound is {most}")

    def _saw(self, actor: int, said: Said, event: Event) -> None:
        site = said[2]
        if site != "look" and self._due(actor, event):
            which = AT[str(site).partition("[")[0]]
            self.worst[which] = max(self.worst[which], self._passed.get(actor, NONE)[which] + 1)
