"""From times to ratios, on invented times: start-up is subtracted, ratios stay within a round, and each order comes as often as the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.bench import rounds
from safepoint.bench.children import Outputs, Programs, Ran
from safepoint.bench.languages import LANGUAGES, OURS, REFERENCE, Language
from safepoint.bench.sizes import EMPTY, SIZES
from safepoint.bench.summary import MEAN, Results, Round, Spread, Switched, geometric, table

TIMES = st.floats(0.01, 100)


def a_round(ours: float, reference: float, start: float = 0.0) -> Round:
    """Of one program; ours starts in `start` seconds, the reference at once."""
    return Round(
        {OURS: start, REFERENCE: 0.0}, {("fib", OURS, False): ours + start, ("fib", REFERENCE, False): reference}
    )


def test_a_start_is_subtracted_and_ratios_stay_within_a_round() -> None:
    """The second round ran on a machine that was ten times as slow: that changes no ratio."""
    found = Results(
        ["fib"], {OURS: False}, [a_round(1.0, 2.0, 0.25), a_round(10.0, 20.0, 2.5), a_round(3.0, 2.0, 0.25)]
    )
    assert found.ratios("fib", OURS) == Spread(0.5, 0.5, 1.5)
    assert str(found.ratios("fib", OURS)) == "0.50 (0.50..1.50)"
    assert (found.seconds("fib", OURS), found.start(OURS)) == (3.0, 0.25)
    assert found.slower(OURS) == []
    assert Results(["fib"], {OURS: False}, [a_round(3.0, 2.0)]).slower(OURS) == ["fib"]


def test_the_smaller_size_is_divided_by_the_reference_in_that_size() -> None:
    times = {("fib", REFERENCE, False): 8.0, ("fib", REFERENCE, True): 1.0, ("fib", "ruby", True): 3.0}
    found = Results(["fib"], {"ruby": True}, [Round({REFERENCE: 0.0, "ruby": 1.0}, times)])
    assert found.ratios("fib", "ruby") == Spread(2.0, 2.0, 2.0)
    assert found.slower("ruby", REFERENCE) == ["fib"]


def test_a_program_that_takes_no_longer_than_a_start_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fib: safepoint took no longer than to start \(0\.500 s\)"):
        a_round(0.0, 1.0, 0.5).ratio(("fib", OURS, False))


def test_the_mean_of_a_half_and_of_twice_is_one() -> None:
    assert geometric([0.5, 2.0]) == pytest.approx(1)
    assert geometric([1.0, 10.0, 100.0]) == pytest.approx(10)
    both = Round(
        {OURS: 0.0, REFERENCE: 0.0},
        {(p, who, False): t for p, pair in {"fib": (1.0, 4.0), "for": (4.0, 1.0)}.items() for who, t in zip((OURS, REFERENCE), pair, strict=True)},
    )  # fmt: skip
    found = table(Results(["fib", "for"], {OURS: False}, [both, both]))
    assert list(found) == ["fib", "for", MEAN]
    assert found[MEAN][OURS].median == pytest.approx(1)
    assert (found["fib"][OURS].median, found["for"][OURS].median) == (0.25, 4.0)


@given(st.lists(TIMES, min_size=1, max_size=9))
def test_a_spread_holds_its_median_and_a_mean_lies_within(values: list[float]) -> None:
    found = Spread.of(values)
    assert (found.least, found.most) == (min(values), max(values))
    assert sum(v <= found.median for v in values) >= len(values) / 2 <= sum(v >= found.median for v in values)
    assert found.least * 0.999 <= geometric(values) <= found.most * 1.001
    assert geometric([1 / v for v in values]) == pytest.approx(1 / geometric(values))
    assert math.log(geometric(values)) == pytest.approx(math.fsum(map(math.log, values)) / len(values), abs=1e-6)


def test_with_and_without_are_divided_round_by_round() -> None:
    found = Switched(
        {"fib": [1.0, 30.0, 2.0], "for": [4.0, 4.0, 4.0]}, {"fib": [2.0, 20.0, 4.0], "for": [2.0, 6.0, 2.0]}
    )
    assert found.ratios("fib") == Spread(0.5, 0.5, 1.5)
    assert found.mean().median == pytest.approx(1)


class Recorded(Programs):
    """No process: each run takes a second, a start half of one."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str, int | None]] = []

    def run(self, language: Language, program: str, size: int | None = None) -> Ran:
        self.ran.append((program, language.name, size))
        return Ran(0.5, "") if program == EMPTY else Ran(1.0, f"{program} {size}")


class Heard:
    """What a section has promised, and what it has said."""

    def __init__(self) -> None:
        self.total, self.said = 0, list[str]()

    def section(self, name: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
        self.total += total
        return nullcontext(self.said.append)


def test_every_second_round_goes_the_other_way_round() -> None:
    files, heard = Recorded(), Heard()
    found = rounds.measure(LANGUAGES, ["fib", "for"], 2, files, Outputs(), heard)
    half = len(files.ran) // 2
    first, second = files.ran[:half], files.ran[half:]
    assert second == first[::-1]
    starts = [name for program, name, _ in first if program == EMPTY]
    assert sorted(starts) == sorted(2 * [language.name for language in LANGUAGES]), "before the others and after them"
    small = {name for program, name, size in first if size == SIZES["fib"].less and program == "fib"}
    assert small == {language.name for language in LANGUAGES if language.slow} | {REFERENCE}
    assert sum(program == "fib" for program, _, _ in first) == len(LANGUAGES) + 1
    assert list(found.compared) == [language.name for language in LANGUAGES if language.name != REFERENCE]
    assert all(found.ratios(p, name) == Spread(1.0, 1.0, 1.0) for p in ("fib", "for") for name in found.compared)
    assert heard.total == len(heard.said) == len(files.ran), "a word for each process"


def test_without_a_slow_language_nothing_runs_in_the_smaller_size() -> None:
    fast = [language for language in LANGUAGES if not language.slow]
    assert [less for _, less in rounds.runs(fast)] == [False] * len(fast)
