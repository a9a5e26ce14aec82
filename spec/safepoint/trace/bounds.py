"""The declared bound, counted along a trace: checks that pass between a complete post and the slow path of its target."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.protocol.policy import Checks
from safepoint.protocol.words import INTERRUPT, TERMINATE
from safepoint.trace.events import Event
from safepoint.trace.layout import Layout
from safepoint.trace.observe import Said

SEEN = ("entered", "took", "cleared")
CHECKS = {"pushed": 0, "looped": 1}
BOUNDED = (*SEEN, *CHECKS, "posted", "poisoned", "masked", "unmasked", "exited", "served")
"""Events that matter for a bound."""


class Late(Exception):
    """A check passed that the declared bound does not allow: says how many there were."""


@dataclass
class _Post:
    """kinds: bits.  missing: trigger words that are not poisoned yet.  since: the stamp from which on its checks are counted."""

    target: int
    kinds: int
    missing: set[str]
    since: int | None = None


class Bounds:
    """worst: the most frame pushes, and back-edges, up to and including the one that saw a request."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.declared = layout.declared
        self.worst = [0, 0]
        needed = layout.poisoned if "poisoned" not in layout.silent else frozenset()
        self._needed = needed
        self._posts: dict[int, _Post] = {}  # by who posts
        self.waiting: dict[int, list[_Post]] = {}  # by target
        self._passed: dict[int, list[int]] = {}
        self._took: dict[int, int] = {}  # by target: the stamp after its last take
        self._masked: set[int] = set()
        self._terminated: set[int] = set()
        self.judged = not {"posted", "entered", "took"} & layout.silent

    def take(self, kind: str, actor: int, said: Said, event: Event) -> None:
        """Raises Late."""
        if kind in CHECKS:
            if actor in self.waiting and self.judged:
                self._check(actor, CHECKS[kind], event)
        elif kind in SEEN:
            if actor in self.waiting:
                if kind == "entered":
                    self._saw(actor, said, event)
                del self.waiting[actor]
                self._passed.pop(actor, None)
            if kind != "entered":
                self._took[actor] = event.after
                self._posts = {by: post for by, post in self._posts.items() if post.target != actor}
        elif kind == "posted":
            self._posted(actor, said, event)
        elif kind == "poisoned":
            self._poisoned(actor, said, event)
        elif kind == "masked":
            self._masked.add(actor)
        elif kind == "unmasked":
            self._masked.discard(actor)
            self.waiting.pop(actor, None)  # the look there sees them
        elif kind == "exited":
            self.waiting.pop(actor, None)
        elif kind == "served" and said[2] == TERMINATE:
            self._terminated.add(actor)

    def _posted(self, actor: int, said: Said, event: Event) -> None:
        owner, detail = said[1], said[2]
        target = owner if isinstance(owner, int) else actor
        assert isinstance(detail, int)
        if self._took.get(target, -1) > event.before:
            return  # that take may have been later
        self._posts[actor] = post = _Post(target, detail, {*self._needed})
        self._complete(post, actor, event)

    def _poisoned(self, actor: int, said: Said, event: Event) -> None:
        post, word = self._posts.get(actor), said[2]
        if post is not None:
            post.missing.discard(str(word))
            self._complete(post, actor, event)

    def _complete(self, post: _Post, actor: int, event: Event) -> None:
        if not post.missing and post.since is None:
            post.since = event.after
            self.waiting.setdefault(post.target, []).append(post)
            del self._posts[actor]

    def _due(self, actor: int, event: Event) -> bool:
        """Is a request that it may deliver completely posted before this check began?"""
        held = (INTERRUPT if actor in self._masked else 0) | (TERMINATE if actor in self._terminated else 0)
        return any(
            post.since is not None and post.since < event.before and post.kinds & ~held for post in self.waiting[actor]
        )

    def _check(self, actor: int, which: int, event: Event) -> None:
        if not self._due(actor, event):
            return
        passed = self._passed.setdefault(actor, [0, 0])
        passed[which] += 1
        most: Checks = (self.declared.frames, self.declared.back_edges)[which]
        if isinstance(most, int) and passed[which] >= most:
            what = ("frame push", "back-edge")[which]
            raise Late(f"{what} {passed[which]} since a complete post passes, and the declared bound is {most}")

    def _saw(self, actor: int, said: Said, event: Event) -> None:
        site = said[2]
        if site != "look" and self._due(actor, event):
            which = int(str(site).startswith("back-edge"))
            self.worst[which] = max(self.worst[which], self._passed.get(actor, [0, 0])[which] + 1)
