"""Which class is made of a guest thread's OS thread: as `mutated`, whose users OS threads are.  The mistakes are in `mutated_os_threads`."""

from __future__ import annotations

from safepoint_vm.generate.engine import Engine
from safepoint_vm.threads.os_thread import OsThread


def driver(engine: Engine) -> type[OsThread]:
    """The class to make for an engine's guest threads."""
    if not engine.variant.mutant:
        return OsThread
    from safepoint_vm.mutants import worn  # noqa: PLC0415  -- a guest program is run without mistakes
    from safepoint_vm.threads.mutated_os_threads import DRIVERS  # noqa: PLC0415  -- the same

    return worn(OsThread, DRIVERS.get(engine.variant.mutant))
