"""Images of machine code on disk: a process whose code an earlier one has made loads it without LLVM, and without what compiles.

What is kept is found by what the system says of the sources (`cache.state`), which takes a tenth of the time that reading them takes;
where that differs, object files that are found by their content (`object_code`) are linked anew.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable

from safepoint_vm.generate import cache
from safepoint_vm.generate.code_image import CodeImage, EngineCode
from safepoint_vm.generate.host_cpu import has_bmi2


def code(what: object, make: Callable[[], EngineCode]) -> EngineCode:
    """The code that is kept for `what`, or else is made, and kept.

    `what`: its `repr` is all that decides the code, beside the sources, llvmlite, Python and this machine.  Errors: as `make`.
    """
    return unpacked(content(what, lambda: packed(make())))


def content(what: object, make: Callable[[], bytes]) -> bytes:
    """As `code`, of what else is made with LLVM."""
    name = name_of(what)
    if name and (found := cache.load(name)) is not None:
        return found
    made = make()
    if name:
        cache.keep(name, made)
    return made


def name_of(what: object) -> str:
    """Under which name it is kept.  "": it is not, now."""
    state = cache.state()
    return cache.digest(state, sys.version, os.uname().machine, has_bmi2(), what) if state else ""


def packed(made: EngineCode) -> bytes:
    """For a file, which only a Python of the same version reads."""
    return marshal.dumps((tuple(made.image), made.operands, made.arities))


def unpacked(content: bytes) -> EngineCode:
    """What was packed; `cache.load` has seen that it is whole."""
    image, operands, arities = marshal.loads(content)
    return EngineCode(CodeImage(*image), operands, arities)
