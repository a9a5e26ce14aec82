"""Which class is made of what the host does for guest threads: the right one, or one that makes the mistake of a mutant.

Who makes a thread, its life or its world makes what `made` returns.  The mistakes are in `mutated_hosts`.
"""

from __future__ import annotations

from typing import TypeVar

from safepoint_vm.generate.engine import Engine

T = TypeVar("T")


def made(kind: type[T], engine: Engine) -> type[T]:
    """The class to make for an engine's host."""
    if not engine.variant.mutant:
        return kind
    from safepoint_vm.mutants import worn  # noqa: PLC0415  -- a guest program is run without mistakes
    from safepoint_vm.threads.mutated_hosts import INSTEAD  # noqa: PLC0415  -- the same

    return worn(kind, INSTEAD.get(engine.variant.mutant))
