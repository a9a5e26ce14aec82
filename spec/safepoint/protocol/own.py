"""A policy of a user's own: what a file says, as it was when it was read.

`safepoint.model.own_policies` reads it, and refuses a nonsensical one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256

from safepoint.protocol.policy import Policy


@dataclass(frozen=True, kw_only=True)
class OwnPolicy(Policy):
    """A policy that stands in a file of its own.

    name: FILE:NAME, as on the command line.  called: its name in that file.  trigger: one of ours; or the path of its file.
    trigger_digest: of that file; "": it is one of ours.  declared_at: where its bound stands: file, line and column.
    """

    called: str
    trigger_digest: str = ""
    declared_at: str = field(default="", repr=False, compare=False)

    @property
    def digest(self) -> str:
        """What tells what it says from what it said before, wherever its files stand."""
        said = replace(self, name="", trigger=self.trigger_digest or self.trigger)
        return sha256(repr(said).encode()).hexdigest()[:8]
