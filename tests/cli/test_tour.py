"""docs/tour.md: each step is run as a reader would run it, in a shell and at a real terminal, and goes as the page shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.cli import tour
from tests.cli.session import KEYS, play, steps_of
from tests.cli.tour import Command, Place, Section

pytest.importorskip("llvmlite", reason="the interpreter needs llvmlite: pip install -e '.[vm,test]'")

PAGE = tour.PAGE.read_text(encoding="utf-8")
SECTIONS = tour.sections(PAGE)
NEEDS = {"make ": ("make", "cc"), "safepoint conform": ("cc",)}
"""What a command begins with -> programs without which its step is not run."""
FAIL = ("refuted: ", "refused: ")
"""What a command says whose exit status is 1."""


@pytest.mark.timeout(tour.SECONDS + 20)
@pytest.mark.parametrize(
    "section", [section for section in SECTIONS if any(section.commands())], ids=lambda section: section.title
)
def test_each_command_prints_what_is_shown(section: Section, tmp_path: Path) -> None:
    for begin, needed in NEEDS.items():
        if any(command.line.startswith(begin) for command in section.commands()):
            for program in needed:
                if shutil.which(program) is None:
                    pytest.skip(f"no {program}: this step of docs/tour.md is not run (install {program})")
    place = Place(tmp_path, PAGE)
    for command in section.commands():
        status, said = place.run(command.line)
        assert command.is_shown(said), f"python -m tests.cli.tour {section.title.partition('.')[0]}\n{said}"
        assert status == int(any(word in command.shown for word in FAIL)), said
    if (drawn := tmp_path / "lost.svg").exists():
        pictured = tour.ROOT / "docs" / "pictures" / "counterexample-light.svg"
        assert drawn.read_text(encoding="utf-8").strip() == pictured.read_text(encoding="utf-8").strip()


def test_the_session_goes_as_shown() -> None:
    pytest.importorskip("prompt_toolkit", reason="a prompt needs prompt_toolkit: pip install -e '.[repl]'")
    (session,) = filter(None, (section.session() for section in SECTIONS))
    steps = steps_of(session)
    assert {typed for typed, _ in steps if isinstance(typed, str)} == set(KEYS.values())
    play(steps)


def test_the_bias_is_in_the_sample_and_in_the_words_around_it() -> None:
    """Half of the time is that of `straight`, and stands beside its caller's name."""
    (command,) = (command for section in SECTIONS for command in section.commands() if command.line.startswith("cat "))
    stacks = dict(line.rpartition(" ")[::2] for line in command.shown.splitlines())
    inner = {stack.rpartition(";")[2].partition(" ")[0]: int(weight) for stack, weight in stacks.items()}
    assert set(inner) == {"both", "turning"}
    assert min(inner.values()) > 0.4 * sum(inner.values())


def test_every_block_is_run() -> None:
    """Of the blocks of commands none is left out but the first, which makes the place; it names what the Makefile has."""
    kinds = re.findall(r"^```(\w*)\n", PAGE, re.MULTILINE)
    assert kinds.count("sh") == 1
    assert set(filter(None, kinds)) == {"sh", "console", "python"}
    ran = sum(len([*section.commands()]) + bool(section.session()) for section in SECTIONS)
    assert ran == len(re.findall(r"^\$ ", PAGE, re.MULTILINE)) > 15
    (begin,) = re.findall(r"^```sh\nmake (\w+)\n", PAGE, re.MULTILINE)
    assert f"\n{begin}: " in (tour.ROOT / "Makefile").read_text(encoding="utf-8")


def test_what_is_shown_is_told_from_what_is_not() -> None:
    """A line left out stands for any lines; a masked number for any number; all else counts."""
    shown = Command("safepoint policies -p go", "a\n…\nb 1.00\n")
    assert shown.is_shown("a\nb 1.00\n")
    assert shown.is_shown("a\nx\ny\nb 9.99\n")
    for other in ("a\nx\nb 1.000\n", "a\nx\nc 1.00\n", "x\nb 1.00\n", "a\nb 1.00\nx\n", "a\nxb 1.00\n"):
        assert not shown.is_shown(other)
    assert not Command("safepoint rules", "b 1.00\n").is_shown("b 9.99\n")
    traced = Command("examples/tiny_vm/tiny_vm_traced 200", "200 interrupts, 1 of them, 13 stops; 8 lives, 0 wrong\n")
    assert traced.is_shown("200 interrupts, 7 of them, 12 stops; 9 lives, 0 wrong\n")
    assert not traced.is_shown("200 interrupts, 1 of them, 13 stops; 8 lives, 1 wrong\n")
    assert not traced.is_shown("199 interrupts, 1 of them, 13 stops; 8 lives, 0 wrong\n")


def test_what_is_written_anew_leaves_out_as_much() -> None:
    assert Command("x", "a\n…\nb\n").anew("1\n2\n3\n4\n") == "1\n…\n4\n"
    assert Command("x", "…\n").anew("1\n2\n") == "1\n2\n"
    assert Command("x", "a\n").anew("1\n2\n") == "1\n2\n"
