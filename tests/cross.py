"""Compile for other machines than this one, in a process of their own.

LLVM keeps some settings for the whole process.  POWER's code generator sets the fewest cases that become a jump table to 64, for x86-64's,
too: handlers that this process compiled later would differ from those that another process compiled.
"""

from __future__ import annotations

from functools import cache

from tests.child import Child

SECONDS = 60
"""That a function may take."""


def assembly(triple: str, text: str, cpu: str = "", features: str = "") -> str:
    """What LLVM makes, at its level 2, of a module in LLVM's language."""
    made: str = _elsewhere()(_assembly, triple, text, cpu, features)
    return made


@cache
def _elsewhere() -> Child:
    return Child(bound=SECONDS)


def _assembly(triple: str, text: str, cpu: str, features: str) -> str:
    import llvmlite.binding as llvm  # by who asks for it: not everywhere

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, opt=2)
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = triple, str(machine.target_data)
    return machine.emit_assembly(module)
