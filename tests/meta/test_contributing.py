"""What the texts tell a newcomer to do works: commands run, targets and paths exist."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = ("README.md", "CONTRIBUTING.md", "tests/README.md", "spec/README.md", "impl/README.md")
LONG = {"make", "git"}  # not run here: their targets are looked up, or they need the network


def commands(text: str) -> list[str]:
    """The lines of the text's indented code blocks, without comments."""
    lines = [
        line[4:].partition("#")[0].strip() for line in (ROOT / text).read_text().splitlines() if line[:4] == "    "
    ]
    return [line for line in lines if line]


def shown_paths(text: str) -> list[str]:
    """What stands in backquotes and looks like a path of the repository; `.venv` is there only after make."""
    quoted = re.findall(r"`(?!\.venv)([\w./-]+)`", (ROOT / text).read_text())
    return [q for q in quoted if "/" in q or q.endswith((".py", ".md", ".toml", ".txt"))]


def make_targets() -> dict[str, None]:
    """In the order of the Makefile."""
    return dict.fromkeys(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


MAKE = [(text, c) for text in TEXTS for c in commands(text) if c.startswith("make ")]
QUICK = [c for c in commands("CONTRIBUTING.md") if shlex.split(c)[0] not in LONG]


@pytest.mark.parametrize(("text", "command"), MAKE)
def test_shown_make_targets_exist(text: str, command: str) -> None:
    assert set(shlex.split(command)[1:]) <= set(make_targets()), text


@pytest.mark.parametrize("command", QUICK)
def test_shown_commands_work(command: str) -> None:
    if command.startswith("pytest "):
        command += " --collect-only -q"  # the tests themselves run in this suite; one would run itself
    beside = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": os.pathsep.join([beside, os.environ.get("PATH", "")])}
    done = subprocess.run(
        shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr  # of a collection: it is not empty


@pytest.mark.parametrize("text", TEXTS)
def test_shown_paths_exist(text: str) -> None:
    roots = (ROOT, (ROOT / text).parent)
    assert not [p for p in shown_paths(text) if not any((root / p).exists() for root in roots)]


PAGES = (*TEXTS, *(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")))
LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:src|srcset)=\"([^\"]+)\"")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_of_the_repository(page: str) -> None:
    """Or, where they begin with #, to a heading of the page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [a or b for a, b in LINK.findall(text)]
    headings = [
        "#" + re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)", text, re.MULTILINE)
    ]
    inside = [link for link in links if link.startswith("#")]
    assert not [link for link in inside if link not in headings]
    assert not [link for link in links if link not in inside and not ((ROOT / page).parent / link).exists()]


def test_the_recipe_comes_first() -> None:
    assert commands("CONTRIBUTING.md")[:3] == [
        "git clone <this repository> safepoint && cd safepoint",
        "make test",
        "make verify",
    ]
    assert QUICK
    assert {c for _, c in MAKE} == {"make setup", "make test", "make verify"}


def test_setup_makes_the_environment_and_does_nothing_else() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^setup: \$\(READY\)  ## .*\.venv.*\n\n", makefile, re.MULTILINE)


def test_the_commands_of_the_readme_are_found_as_it_says() -> None:
    """In an environment as make makes it."""
    (said,) = re.findall(
        r"`(\. \.venv/bin/activate)` puts `(\w+)` and `(\w+)` on your path", (ROOT / "README.md").read_text()
    )
    activate, *commands = said
    if not (Path(sys.prefix) / "bin" / "activate").exists():
        pytest.skip("this Python is not that of a virtual environment")
    script = " && ".join([activate.replace(".venv", sys.prefix), *(f"command -v {command}" for command in commands)])
    clean = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script], env=clean, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.split() == [f"{sys.prefix}/bin/{command}" for command in commands]


def test_no_line_asks_an_index_for_the_package_itself() -> None:
    """It is on none: what a message tells to install must be there."""
    files = [
        p for root in ("spec", "impl", "tests", "docs") for p in (ROOT / root).rglob("*") if p.suffix in (".py", ".md")
    ]
    asks = re.compile("pip install " + "['\"]?safepoint")
    assert [str(p) for p in [*files, ROOT / "README.md"] if asks.search(p.read_text(encoding="utf-8"))] == []


def test_the_oldest_and_the_newest_python_that_are_named_are_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [
        c.rpartition(" ")[2] for c in project["classifiers"] if c.startswith("Programming Language :: Python :: 3.")
    ]
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (run,) = re.findall(r"^ +python: (\[.*\])", workflow, re.MULTILINE)
    assert json.loads(run) == [named[0], named[-1]]
    assert project["requires-python"] == f">={named[0]}"


def test_make_alone_prints_help() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    assert re.findall(r"^make (\S+) ", done.stdout, re.MULTILINE) == list(make_targets())


def test_versions_are_pinned_by_name_and_number() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [x for x in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.]+", x)] == []


def test_every_directory_of_tests_has_its_line() -> None:
    described = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "tests" / "README.md").read_text(), re.MULTILINE))
    placed = set(re.findall(r"`tests/(\w+)`", (ROOT / "CONTRIBUTING.md").read_text()))
    there = {d.name for d in (ROOT / "tests").iterdir() if d.is_dir() and d.name != "__pycache__"}
    assert described == there
    assert placed == there
