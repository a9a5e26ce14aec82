"""The house: no circle of imports, folders that list what they hold, and pictures that are what the sources make of them."""

from __future__ import annotations

from pathlib import Path

import grimp
import pytest

from tools import pictures
from tools.rooms import circles, contents, docstring_of, imports_of, listed, modules_of, rooms_of

ROOTS = pictures.ROOTS
FOLDERS = {
    str(file.parent.relative_to(root.parent)): file.parent for root in ROOTS for file in root.rglob("__init__.py")
}


def test_imports_go_in_no_circle() -> None:
    """Also not through imports for type checking: one that reads a file has to read them all."""
    assert circles(imports_of(modules_of(*ROOTS))) == set()


def test_another_tool_finds_the_same_imports() -> None:
    """Import-linter's own graph, which reads the installed packages: so the installed ones must be those of this checkout."""
    graph = grimp.build_graph(*(root.name for root in ROOTS), cache_dir=None)
    found = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert imports_of(modules_of(*ROOTS)) == found


def test_a_test_module_imports_no_test_module() -> None:
    """What two of them need is a module of its own: else one cannot be read, moved or broken alone."""
    imports = imports_of(modules_of(pictures.CHECKOUT / "tests"))
    found = {
        one: other
        for one, others in imports.items()
        for other in others
        if other.rpartition(".")[2].startswith("test_")
    }
    assert found == {}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_lists_exactly_what_it_holds(name: str) -> None:
    folder = FOLDERS[name]
    told = listed(docstring_of(folder / "__init__.py"))
    assert set(told) == set(contents(folder))
    assert all(told.values())


@pytest.mark.parametrize("file", pictures.files(), ids=lambda f: f.name)
def test_a_picture_is_what_its_command_makes(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == pictures.made()[file], "make pictures"


def test_every_committed_picture_is_made() -> None:
    assert set(pictures.PICTURES.iterdir()) | {pictures.PAGE} == set(pictures.files())


def test_outside_a_checkout_there_is_nothing_to_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pictures, "PAGE", tmp_path / "architecture.md")
    with pytest.raises(SystemExit) as ended:
        pictures.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path}/architecture.md: no such file (run `make pictures`")


# ---------------------------------------------------------------------------------------------- what reads the sources


def tree(root: Path, **sources: str) -> Path:
    for name, source in sources.items():
        path = root / "house" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        (path.parent / "__init__.py").touch()
    return root / "house"


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        a="def f():\n    from house import b\n",
        b="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import house.c\n",
        c="from house.a import f\nimport os\n",
        d="from house.a import f\n",
    )
    assert circles(imports_of(modules_of(root))) == {frozenset({"house.a", "house.b", "house.c"})}


def test_rooms_stand_above_what_they_import(tmp_path: Path) -> None:
    root = tree(
        tmp_path, low__x="", mid__y="from house.low import x\n", top="from house.low.x import z\nimport house.mid.y\n"
    )
    rooms = rooms_of(root)
    assert {name: (room.floor, room.imports) for name, room in rooms.items()} == {
        "house.low": (0, set()),
        "house.mid": (1, {"house.low"}),
        "house.top": (2, {"house.low", "house.mid"}),
    }


def test_rooms_in_a_circle_have_no_floors(tmp_path: Path) -> None:
    root = tree(tmp_path, one__x="import house.two.y\n", two__y="import house.one.z\n", one__z="")
    with pytest.raises(ValueError, match=r"circle: house\.one, house\.two"):
        rooms_of(root)


def test_a_folder_shows_what_it_holds_in_its_own_order(tmp_path: Path) -> None:
    root = tree(tmp_path, room__a="", room__b="", room__inner__c="")
    (root / "room" / "__init__.py").write_text('"""A room.\n\nb: first\ninner: then\na: last\n"""\n', encoding="utf-8")
    room = rooms_of(root)["house.room"]
    assert (room.line, room.contents) == ("A room.", ["b", "inner/", "a"])
