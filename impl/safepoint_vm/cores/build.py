"""The engine of a run on real cores: handlers that count their checks, procedures that write tallies, and the loops."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint_vm.cores.emitter import TalliedProcedures
from safepoint_vm.cores.guests import Loops
from safepoint_vm.cores.primitives import Primitives
from safepoint_vm.cores.tally import LOOPS
from safepoint_vm.generate.build import linked
from safepoint_vm.generate.engine import Engine, Variant
from safepoint_vm.generate.object_code import Part
from safepoint_vm.generate.parts import handlers_of
from safepoint_vm.handlers.shared.checks import DISPATCHED
from safepoint_vm.mutants import part_of


@dataclass(frozen=True)
class CoresEngine(Engine):
    """An engine whose `enter` is `guests.live`."""

    @functools.cached_property
    def enter(self) -> ctypes._CFunctionType:
        """As `Engine.enter`; it returns for what needs the host only."""
        return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)(self.addresses["live"])

    def loop(self, name: str) -> ctypes._CFunctionType:
        """A loop of a requester: takes the address of its plan.  Releases the GIL."""
        return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(self.addresses[name])


@functools.cache
def cores_engine(mutant: str = "", *, jitter: str = "", policy: str = FOLDED.name) -> CoresEngine:
    """Loaded once per process.  `policy`: where and how its threads check.

    ProtocolError: no such mutant.  ProtocolCodeError: the text cannot be compiled with it.
    """
    under = POLICIES[policy]
    loops = LOOPS if under.trigger in DISPATCHED else 0
    variant = Variant(counting=True, mutant=mutant, policy=under, loops=loops)
    handlers = handlers_of(variant)
    text = mutant if part_of(mutant) == "procedures" else ""
    procedures = TalliedProcedures(text, jitter, under.trigger, under.base)
    own: tuple[Part, ...] = (Primitives(), procedures, handlers, Loops())
    return CoresEngine.of(variant, linked((*own, *handlers.further(mutant)), variant))
