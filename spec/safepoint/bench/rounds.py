"""The rounds: in each every program in every interpreter, between two starts of each; the next round goes the other way round."""

from __future__ import annotations

from collections.abc import Sequence

from safepoint.bench.children import Outputs, Programs
from safepoint.bench.languages import REFERENCE, Language
from safepoint.bench.sizes import EMPTY, SIZES
from safepoint.bench.summary import Key, Results, Round
from safepoint.verify.report import Progress

Runs = tuple[tuple[Language, bool], ...]
"""What is run of each program, in order: an interpreter, and whether in the smaller size."""


def runs(languages: Sequence[Language]) -> Runs:
    """The slow ones in the smaller size; the reference in that too, if there is a slow one."""
    found: list[tuple[Language, bool]] = []
    for each in languages:
        found.append((each, each.slow))
        if each.name == REFERENCE and any(other.slow for other in languages):
            found.append((each, True))
    return tuple(found)


def measure(
    languages: Sequence[Language],
    names: Sequence[str],
    rounds: int,
    files: Programs,
    outputs: Outputs,
    progress: Progress,
) -> Results:
    """Times of each round.  BenchError: a program fails, hangs, or says something else than in another language."""
    found = []
    processes = rounds * (2 * len(languages) + len(names) * len(runs(languages)))
    with progress.section("rounds", processes) as done:
        for turn in range(rounds):
            step = 1 if turn % 2 == 0 else -1
            order = runs(languages)[::step]
            times: dict[Key, float] = {}
            starts: dict[str, list[float]] = {language.name: [] for language in languages}

            def start(turn: int = turn, order: Runs = order, starts: dict[str, list[float]] = starts) -> None:
                for language in dict.fromkeys(language for language, _ in order):
                    starts[language.name].append(files.run(language, EMPTY).seconds)
                    done(f"round {turn + 1}: start, {language.name}")

            start()
            for program in names[::step]:
                for language, less in order:
                    size = SIZES[program].less if less else None
                    ran = files.run(language, program, size)
                    outputs.compare(language, program, size, ran.output)
                    times[program, language.name, less] = ran.seconds
                    done(f"round {turn + 1}: {program}, {language.name}")
            start()
            found.append(Round({name: sum(each) / len(each) for name, each in starts.items()}, times))
    compared = {language.name: language.slow for language in languages if language.name != REFERENCE}
    return Results(names, compared, found)
