"""Where standard error is no terminal, long work still says how far it has come."""

from __future__ import annotations

import threading

import pytest

from safepoint.show.progress import LiveProgress


def test_a_long_search_says_so_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("safepoint.show.progress.time.monotonic", lambda: now)
    with LiveProgress() as progress, progress.search("explore") as tell:
        for level in range(1, 26):
            now = float(level)
            tell(level * 1_000, level)
    assert capsys.readouterr().err.splitlines() == [
        "explore: 11,000 states, frontier 11",
        "explore: 22,000 states, frontier 22",
    ]


def test_a_section_whose_first_item_takes_long_says_that_it_waits(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safepoint.show.progress.OFTEN", 0.001)
    said = ""
    with LiveProgress() as progress, progress.section("protocol", 2) as done:
        for _ in range(1000):  # a line comes at once: each look waits for a hundredth of a second, if there is none
            said += capfd.readouterr().err
            if "\n" in said:
                break
            threading.Event().wait(0.01)
        done("first")
        done("second")
    assert said.splitlines()[0].startswith("protocol: 0 of 2 after ")
    assert [thread.name for thread in threading.enumerate() if thread.name == "progress" and not gone(thread)] == []


def gone(thread: threading.Thread) -> bool:
    thread.join(10)
    return not thread.is_alive()


def test_a_section_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with LiveProgress() as progress, progress.section("mutants", 2) as done:
        done("first")
        done("second")
    assert capsys.readouterr().err == "mutants: 2 done in 0 s; last: second\n"


def test_a_long_section_says_so_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("safepoint.show.progress.time.monotonic", lambda: now)
    with LiveProgress() as progress, progress.section("mutants", 4) as done:
        for number in range(1, 5):
            now = 6.0 * number
            done(f"mutant {number}")
    assert capsys.readouterr().err.splitlines() == [
        "mutants: 2 of 4; last: mutant 2",
        "mutants: 4 done in 24 s; last: mutant 4",
    ]
