"""What an interpreter offers that can be built with the checks of several policies: what each of them costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from safepoint.differential.stepped import Stepped
from safepoint.protocol.policy import Policy

WITHOUT = None
"""In place of a policy: an engine that knows no protocol."""


class Costed(ABC):
    """A target that can be built with several policies' checks.  A mix-in of a `Target`."""

    @abstractmethod
    def has_checks_of(self, policy: Policy) -> bool:
        """Can it be built with them?"""

    @abstractmethod
    def under(self, policy: Policy) -> Stepped:
        """The same interpreter with a policy's checks."""

    @abstractmethod
    def instructions(self, policy: Policy | None) -> Mapping[str, int]:
        """How many instructions the fast path of each kind of site has more than in an engine WITHOUT a protocol.

        The kinds: frame_push, back_edge, return, allocation.
        """

    @abstractmethod
    def seconds(self, policy: Policy | None, source: str) -> float:
        """CPU seconds of one run of a program in which nothing is posted.  policy: or WITHOUT."""
