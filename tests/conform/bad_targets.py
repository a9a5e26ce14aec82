"""The reference machine with mistakes that a stranger's VM made; `threads` is not offered, because they do not take one."""

from __future__ import annotations

from safepoint.conform.target import STOP
from safepoint.differential.reference import Reference


class OneShot(Reference):
    """JsRuntimeHost #241: the second request of a kind is never looked at."""

    name = "one-shot"
    offers = Reference.offers - {"threads"}

    def start(self) -> None:
        super().start()
        self.asked: set[str] = set()

    def post(self, kind: str, thread: int = 0) -> None:
        if kind not in self.asked:
            self.asked.add(kind)
            super().post(kind)


class OneShotAll(OneShot):
    """The same, whatever the kind."""

    name = "one-shot-all"

    def post(self, kind: str, thread: int = 0) -> None:
        if not self.asked or not self.observe().seen:
            self.asked.add(kind)
            Reference.post(self, kind)


class LateStop(Reference):
    """A STOP in the first steps after a request was seen is dropped."""

    name = "deaf-after-stop"
    offers = Reference.offers - {"threads"}

    def start(self) -> None:
        super().start()
        self.deaf = 0

    def post(self, kind: str, thread: int = 0) -> None:
        if not self.deaf or kind != STOP:
            super().post(kind)

    def step(self, count: int = 1) -> bool:
        before = len(self.observe().seen)
        more = super().step(count)
        self.deaf = 3 if len(self.observe().seen) > before else max(0, self.deaf - 1)
        return more
