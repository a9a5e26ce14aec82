"""What of this machine decides machine code, asked without LLVM."""

from __future__ import annotations

from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
FIRST = 4096
"""Bytes of it that have the first processor's flags: of hundreds of processors the rest takes long to write."""


@cache
def has_bmi2() -> bool:
    """Has the processor BMI2?  False: it has not, or the system does not say so."""
    try:
        with CPUINFO.open("rb") as file:
            lines = file.read(FIRST).splitlines()
    except OSError:
        return False
    return any(b"bmi2" in line.split() for line in lines if line.startswith(b"flags"))
