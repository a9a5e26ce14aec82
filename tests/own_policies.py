"""The example of policies of a user's own; and a file with a policy in it."""

from __future__ import annotations

from pathlib import Path

from safepoint.protocol.policy import Policy

EXAMPLE = Path(__file__).parents[1] / "examples" / "own_policy"
LANTERN, TICKER = f"{EXAMPLE}/lantern.py:LANTERN", f"{EXAMPLE}/lantern.py:SLOW_TICKER"


def written(folder: Path, policy: Policy, name: str = "MINE") -> str:
    """The policy in a file, by the values of its fields; what `-p` names."""
    file = folder / "mine.py"
    file.write_text(f"from safepoint.protocol.policy import Bound, Policy\n\n{name} = {Policy(**vars(policy))!r}\n")
    return f"{file}:{name}"
