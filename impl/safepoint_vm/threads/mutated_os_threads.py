"""Mistakes of a guest thread's OS thread, which `safepoint_vm.mutants` names."""

from __future__ import annotations

from safepoint_vm.threads.os_thread import OsThread


class InterruptsTheBornOnly(OsThread):
    """interrupt-before-birth"""

    def interrupt(self) -> None:
        if self._begun:
            super().interrupt()


class NeverLeaves(OsThread):
    """exit-forgotten"""

    def _end(self) -> None:
        self.guest.ended = True
        self._world.heap.engine.routine("retire", self.guest.address)
        try:
            self._supervisor.has_ended(self)
        finally:
            self.done.set()


DRIVERS: dict[str, type[OsThread]] = {
    "interrupt-before-birth": InterruptsTheBornOnly,
    "exit-forgotten": NeverLeaves,
}
"""Mutant -> the class whose methods a guest thread's OS thread has."""
