"""Entry points, as the commands find them: what the library of Python finds, and the same where it alone finds any."""

from __future__ import annotations

import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from safepoint.cli.entry_points import entry_point, found, said

OURS = [("safepoint.machines", "vm"), ("safepoint.sessions", "vm"), ("safepoint.targets", "folded")]
MORE = """\
[other]
vm = wrong:one

[safepoint.machines]
vmx = wrong:two
mine = os.path:join [extra]
"""


@pytest.mark.parametrize(("group", "name"), OURS)
def test_an_entry_point_is_what_pythons_own_library_finds(group: str, name: str) -> None:
    pytest.importorskip("llvmlite", reason="the interpreter is not installed (pip install '.[vm]')")
    assert entry_point(group, name) is next(iter(entry_points(group=group, name=name))).load()


def test_the_lines_of_a_group_alone_count() -> None:
    assert list(said(MORE, "safepoint.machines", "mine")) == ["os.path:join [extra]"]
    assert list(said(MORE, "safepoint.machines", "vm")) == []
    assert list(said(MORE, "other", "vm")) == ["wrong:one"]


def test_the_first_on_the_path_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, what in enumerate(("os:getpid", "os:getppid")):
        folder = tmp_path / str(number) / "mine-1.dist-info"
        folder.mkdir(parents=True)
        (folder / "entry_points.txt").write_text(f"[safepoint.machines]\nmine={what}\n")
        monkeypatch.syspath_prepend(folder.parent)
    assert list(found("safepoint.machines", "mine")) == ["os:getppid", "os:getpid"]


def test_a_package_in_an_archive_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "mine.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("mine-1.dist-info/METADATA", "Name: mine\nVersion: 1\n")
        file.writestr("mine-1.dist-info/entry_points.txt", MORE)
    with pytest.raises(ImportError, match="no entry point"):
        entry_point("safepoint.machines", "mine")
    monkeypatch.syspath_prepend(archive)
    assert list(found("safepoint.machines", "mine")) == []
    assert entry_point("safepoint.machines", "mine")("a", "b") == str(Path("a", "b"))
