"""What an interpreter offers that can be built with the checks of several policies: what each of them costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from safepoint.differential.stepped import Stepped

WITHOUT = ""
"""In place of a policy's name: an engine that knows no protocol."""


class Costed(ABC):
    """A target that can be built with several policies' checks.  A mix-in of a `Target`."""

    @abstractmethod
    def policies(self) -> Sequence[str]:
        """Those that it can be built with, by name."""

    @abstractmethod
    def under(self, policy: str) -> Stepped:
        """The same interpreter with a policy's checks."""

    @abstractmethod
    def instructions(self, policy: str) -> Mapping[str, int]:
        """How many instructions the fast path of each kind of site has more than in an engine WITHOUT a protocol.

        The kinds: frame_push, back_edge, return, allocation.
        """

    @abstractmethod
    def seconds(self, policy: str, source: str) -> float:
        """CPU seconds of one run of a program in which nothing is posted.  policy: or WITHOUT."""
