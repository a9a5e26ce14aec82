"""What an interpreter offers that compiles guest programs: what it would install of one, for `safepoint distance`."""

from __future__ import annotations

from abc import ABC, abstractmethod

from safepoint.guest.code import Program
from safepoint.guest.distance.installed import Installed
from safepoint.protocol.policy import Policy


class Installing(ABC):
    """A target that compiles.  A mix-in of a `Target`."""

    @classmethod
    @abstractmethod
    def as_installed(cls, program: Program, policy: Policy, mutant: str = "") -> Installed:
        """What it would install of a program whose threads check under a policy, in which nothing is executed.  program: verified.

        mutant: of the text, or of the target's own, as `Target.mutated` takes it; "": none.
        ImportError: what makes its machine code is not installed.  NotOffered: it cannot be made with this mutant.
        """
