"""The package as it is installed: its page, and all that `verify` needs, far from any checkout."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from safepoint.bench.languages import LANGUAGES
from safepoint.bench.sizes import SIZES, full
from safepoint.differential import corpus

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that the wheel is unpacked to."""
    pytest.importorskip("hatchling", reason="the wheel is made by its build, which needs hatchling")
    where = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(where)]
    subprocess.run(build, cwd=ROOT, capture_output=True, timeout=100, check=True)
    (wheel,) = where.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(where / "installed")
    return where / "installed"


def printed(script: str, installed: Path, where: Path) -> list[str]:
    """The lines of a Python script that is given the directory of the installed package, and has no other."""
    command = [sys.executable, "-IB", "-c", script, str(installed)]
    return subprocess.run(
        command, cwd=where, capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()


def test_the_packages_page_has_no_relative_link(installed: Path) -> None:
    """A page elsewhere has no files beside it: what is a link here is the name of a file there, and the picture is left out."""
    (file,) = installed.glob("*.dist-info/METADATA")
    metadata = message_from_bytes(file.read_bytes())
    page = str(metadata.get_payload())
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert README.splitlines()[0] == page.splitlines()[0]
    assert not re.findall(r"\]\(|<img|<source|<picture", page)
    for path in re.findall(r"\]\(([^)\s]+)\)", README):
        assert path in page


def test_it_has_every_program(installed: Path, tmp_path: Path) -> None:
    """Read by the installed package itself, elsewhere."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from safepoint.differential.corpus import PROGRAMS, corpus\n"
        "print(PROGRAMS)\n"
        "for guest in corpus(): print(guest.name, guest.stack, len(guest.source))"
    )
    first, *told = printed(script, installed, tmp_path)
    assert Path(first).is_relative_to(installed)
    assert told == [f"{guest.name} {guest.stack} {len(guest.source)}" for guest in corpus.corpus()]


def test_it_has_the_programs_of_the_bench_in_every_language(installed: Path, tmp_path: Path) -> None:
    """Found by the installed package itself, elsewhere; and as no folder above is its checkout, it names no commit."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from safepoint.bench.languages import LANGUAGES, commit\n"
        "from safepoint.bench.sizes import SIZES, full\n"
        "print(commit())\n"
        "for name in SIZES: print(name, *(full(name, each.suffix) for each in LANGUAGES))"
    )
    sizes = [" ".join([name, *(str(full(name, each.suffix)) for each in LANGUAGES)]) for name in SIZES]
    assert printed(script, installed, tmp_path) == ["installed", *sizes]


def test_it_has_every_file_of_the_package(installed: Path) -> None:
    roots = {"safepoint": ROOT / "spec", "safepoint_vm": ROOT / "impl"}
    for package, root in roots.items():
        files = {f.relative_to(root) for f in (root / package).rglob("*") if f.is_file() and f.suffix != ".pyc"}
        there = {f.relative_to(installed) for f in (installed / package).rglob("*") if f.is_file()}
        programs = (Path("safepoint/differential/programs"), Path("safepoint/bench/programs"))
        assert files == {f for f in there if not any(map(f.is_relative_to, programs))}
