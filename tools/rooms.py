"""The rooms of a source tree: what each is for, what is in it, what it imports, and on which floor that puts it.

A room is a folder or a file directly under a root package.  Nothing is imported for this: the sources are read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Modules = dict[str, Path]
Imports = dict[str, set[str]]


@dataclass
class Room:
    """`line`: the first line of its docstring.  `contents`: its files and folders (with a slash), as its docstring lists them."""

    name: str
    line: str
    contents: list[str]
    imports: set[str] = field(default_factory=set)  # of rooms
    floor: int = 0

    @property
    def root(self) -> str:
        return self.name.partition(".")[0]


def modules_of(*roots: Path) -> Modules:
    """Dotted name -> file, of each module under the root packages."""
    return {
        ".".join((root.name, *file.relative_to(root).with_suffix("").parts)).removesuffix(".__init__"): file
        for root in roots
        for file in sorted(root.rglob("*.py"))
    }


def imports_of(modules: Modules) -> Imports:
    """What each module imports of the others, wherever in the file: in functions too, and for type checking."""
    return {name: set(imported(file, modules)) - {name} for name, file in modules.items()}


def imported(file: Path, modules: Modules) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                inner = [f"{module}.{alias.name}" for alias in aliases]
                names = [name if name in modules else module for name in inner]
            case _:
                continue
        yield from (name for name in names if name in modules)


def reachable(imports: Mapping[str, set[str]], start: str) -> set[str]:
    """What the start imports, directly or not; itself only if it is on a circle."""
    found: set[str] = set()
    left = [start]
    while left:
        new = imports[left.pop()] - found
        found |= new
        left += new
    return found


def circles(imports: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Groups of modules that all import each other, directly or not."""
    reach = {name: reachable(imports, name) for name in imports}
    return {
        frozenset(other for other in reach[name] if name in reach[other]) for name in imports if name in reach[name]
    }


def listed(docstring: str) -> dict[str, str]:
    """The lines `name: what it is` of a folder's docstring."""
    lines = (line.partition(": ") for line in docstring.splitlines())
    return {name: what for name, colon, what in lines if colon and name.isidentifier()}


def contents(folder: Path) -> dict[str, str]:
    """What a folder holds: name -> as it is shown, folders with a slash."""
    files = {file.stem: file.stem for file in folder.glob("*.py") if file.stem != "__init__"}
    return files | {inner.parent.name: f"{inner.parent.name}/" for inner in folder.glob("*/__init__.py")}


def docstring_of(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""


def rooms_of(*roots: Path) -> dict[str, Room]:
    """By name.  Raises ValueError if rooms import each other in a circle: they have no floors then."""
    modules = modules_of(*roots)
    rooms = {name: room_in(name, file) for name, file in modules.items() if name.count(".") == 1}
    for name, others in imports_of(modules).items():
        here, there = room_of(name), {room_of(other) for other in others}
        if here in rooms:
            rooms[here].imports |= (there & set(rooms)) - {here}
    imports = {name: room.imports for name, room in rooms.items()}
    if around := circles(imports):
        raise ValueError(f"rooms import each other in a circle: {', '.join(sorted(min(around, key=sorted)))}")
    for room in rooms.values():
        room.floor = floor_of(imports, room.name)
    return rooms


def room_in(name: str, file: Path) -> Room:
    """A room as its own file describes it; what its docstring does not list comes last."""
    told = docstring_of(file)
    there = contents(file.parent) if file.name == "__init__.py" else {}
    order = [*(inner for inner in listed(told) if inner in there), *sorted(there)]
    return Room(name, told.partition("\n")[0], [there[inner] for inner in dict.fromkeys(order)])


def room_of(module: str) -> str:
    """The room that a module is in: itself or a folder, directly under the root package."""
    return ".".join(module.split(".")[:2])


def floor_of(imports: Mapping[str, set[str]], name: str) -> int:
    """One above the highest room that it imports; the ground floor, 0, imports none."""
    return max((floor_of(imports, other) + 1 for other in imports[name]), default=0)


def direct(rooms: Mapping[str, Room]) -> list[tuple[str, str]]:
    """The imports that do not follow from others: all the rest can be reached over these."""
    imports = {name: room.imports for name, room in rooms.items()}
    return [
        (name, other)
        for name, others in imports.items()
        for other in sorted(others)
        if not any(other in reachable(imports, between) for between in others)
    ]
