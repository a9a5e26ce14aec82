"""From times to ratios: what was measured in a round is divided by what was measured in the same round, never by an average."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safepoint.bench.languages import REFERENCE

Key = tuple[str, str, bool]
"""Program, interpreter, and whether in the smaller size."""


@dataclass(frozen=True)
class Spread:
    """The median, the least and the largest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """ValueError: there are none."""
        if not values:
            raise ValueError("a spread of nothing")
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}..{self.most:.2f})"


@dataclass(frozen=True)
class Round:
    """CPU seconds.  starts: of an empty program, by interpreter: the mean of those before and after the others.  times: with the start."""

    starts: Mapping[str, float]
    times: Mapping[Key, float]

    def bare(self, key: Key) -> float:
        """Without the start.  ValueError: the start took longer."""
        program, name, _ = key
        took = self.times[key] - self.starts[name]
        if took <= 0:
            raise ValueError(
                f"{program}: {name} took no longer than to start ({self.starts[name]:.3f} s): give the program a larger size"
            )
        return took

    def ratio(self, key: Key) -> float:
        """To the reference, with the same program in the same size.  ValueError: as `bare`."""
        program, _, less = key
        return self.bare(key) / self.bare((program, REFERENCE, less))


def geometric(ratios: Sequence[float]) -> float:
    """The geometric mean: that of the inverses is its inverse, so it does not matter which is divided by which."""
    return statistics.geometric_mean(ratios)


@dataclass(frozen=True)
class Results:
    """All rounds of one run.  compared: name of an interpreter -> is it compared in the smaller size?  The reference is not among them."""

    programs: Sequence[str]
    compared: Mapping[str, bool]
    rounds: Sequence[Round]

    def ratios(self, program: str, name: str) -> Spread:
        return Spread.of([each.ratio((program, name, self.compared[name])) for each in self.rounds])

    def mean(self, name: str) -> Spread:
        """Of the rounds' geometric means over the programs."""
        key = self.compared[name]
        return Spread.of([geometric([each.ratio((p, name, key)) for p in self.programs]) for each in self.rounds])

    def seconds(self, program: str, name: str, less: bool = False) -> float:
        """The median, without the start."""
        return statistics.median(each.bare((program, name, less)) for each in self.rounds)

    def start(self, name: str) -> float:
        """The median."""
        return statistics.median(each.starts[name] for each in self.rounds)

    def slower(self, name: str, other: str = REFERENCE) -> list[str]:
        """The programs in which one loses to another, by the medians of their ratios to the reference, of which its own is 1."""

        def median(program: str, which: str) -> float:
            return 1.0 if which == REFERENCE else self.ratios(program, which).median

        return [program for program in self.programs if median(program, name) > median(program, other)]


MEAN = "geometric mean"
Table = dict[str, dict[str, Spread]]
"""Row -> column -> ratio.  The last row is the mean."""


def table(results: Results) -> Table:
    """Rows are programs, columns interpreters."""
    found = {
        program: {name: results.ratios(program, name) for name in results.compared} for program in results.programs
    }
    return {**found, MEAN: {name: results.mean(name) for name in results.compared}}


@dataclass(frozen=True)
class Switched:
    """Our own programs with something and without, in turn: CPU seconds of each round."""

    on: Mapping[str, Sequence[float]]
    off: Mapping[str, Sequence[float]]

    def ratios(self, program: str) -> Spread:
        """With, to without, in the same round: under 1 it brings something."""
        return Spread.of([one / other for one, other in zip(self.on[program], self.off[program], strict=True)])

    def mean(self) -> Spread:
        """Of the rounds' geometric means over the programs."""
        rounds = range(len(next(iter(self.on.values()))))
        return Spread.of([geometric([self.on[p][r] / self.off[p][r] for p in self.on]) for r in rounds])
