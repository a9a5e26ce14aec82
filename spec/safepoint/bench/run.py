"""One run of the bench: what was measured, when and where; and all of it as JSON."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safepoint.bench import rounds, switched
from safepoint.bench.children import BenchError, check, programs
from safepoint.bench.languages import LANGUAGES, NAMED, OURS, REFERENCE, Language, installed
from safepoint.bench.sizes import SIZES, full
from safepoint.bench.summary import Results, Switched
from safepoint.verify.report import Progress, Quiet


@dataclass(frozen=True)
class Run:
    """What was measured, and where.  versions: by interpreter.  missing: interpreters that are not installed here."""

    began: datetime
    machine: str
    load: float
    versions: Mapping[str, str]
    missing: Sequence[str]
    results: Results
    switched: Mapping[str, Switched]

    @property
    def slower(self) -> dict[str, list[str]]:
        """For each other interpreter the programs in which ours takes more time."""
        others = [name for name in (REFERENCE, *self.results.compared) if name != OURS]
        return {name: self.results.slower(OURS, name) for name in others}

    def as_json(self) -> dict[str, Any]:
        """Times in seconds of CPU time, without the start; ratios to the reference, of an optimisation to the same without it."""
        results = self.results
        return {
            "began": self.began.isoformat(timespec="seconds"),
            "machine": self.machine,
            "load": self.load,
            "rounds": len(results.rounds),
            "reference": REFERENCE,
            "interpreters": [
                {
                    "name": name,
                    "version": said,
                    "start": results.start(name),
                    "smaller": results.compared.get(name, False),
                    "threads": NAMED[name].threads,
                }
                for name, said in self.versions.items()
            ],
            "left_out": dict.fromkeys(self.missing, "not installed"),
            "programs": [self._row(program) for program in results.programs],
            "mean": {
                "ratios": {name: asdict(results.mean(name)) for name in results.compared},
                "optimisations": {step: asdict(found.mean()) for step, found in self.switched.items()},
            },
            "slower": self.slower,
        }

    def _row(self, program: str) -> dict[str, Any]:
        results = self.results
        return {
            "program": program,
            "size": full(program, "py"),
            "smaller": SIZES[program].less,
            "seconds": {name: results.seconds(program, name) for name in (OURS, REFERENCE)},
            "ratios": {name: asdict(results.ratios(program, name)) for name in results.compared},
            "optimisations": {
                step: {
                    "ratio": asdict(found.ratios(program)),
                    "seconds_without": statistics.median(found.off[program]),
                }
                for step, found in self.switched.items()
            },
        }


def machine() -> str:
    """The processor, how many cores this process may use, and the system."""
    info = Path("/proc/cpuinfo")
    found = (
        re.search(r"^model name\s*: (.*)$", info.read_text(encoding="utf-8"), re.MULTILINE) if info.exists() else None
    )
    processor = found[1] if found else platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, {platform.system()} {platform.machine()}"


def chosen(names: Sequence[str]) -> tuple[list[Language], list[Language]]:
    """What is compared: ours, the reference, and those of these names, or all if there are none; and those that are not installed.

    BenchError: the reference is not installed, or one that is named.
    """
    here, missing = installed([each for each in LANGUAGES if not names or each.name in (OURS, REFERENCE, *names)])
    if NAMED[REFERENCE] in missing:
        raise BenchError(f"{REFERENCE}: not installed, and all are compared with it (install luajit)")
    if names and missing:
        raise BenchError(f"{missing[0].name}: not installed (install {missing[0].command[0]}, or leave it out)")
    return here, missing


def run(names: Sequence[str], interpreters: Sequence[str], turns: int, progress: Progress | None = None) -> Run:
    """Measure these programs in `turns` rounds.  interpreters: as `chosen`.

    BenchError: nothing can be compared.  UnknownTarget: the interpreter cannot run here.
    """
    progress = progress or Quiet()
    here, missing = chosen(interpreters)
    ours = switched.ours()
    versions = {language.name: language.version() for language in here}
    began, load = datetime.now(UTC), os.getloadavg()[0]
    with programs() as files:
        outputs = check(here, names, files, progress)
        results = rounds.measure(here, names, turns, files, outputs, progress)
    found = switched.measure(ours, names, turns, progress)
    return Run(began, machine(), load, versions, [each.name for each in missing], results, found)
