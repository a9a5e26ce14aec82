"""The pictures of `docs/`, light and dark, and its table of rooms: `python -m tools.pictures`, or `make pictures`.

For a checkout only: a picture of the house is drawn from its sources.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path

from safepoint.bench.languages import LANGUAGES
from safepoint.graph.text import Text
from safepoint.guest.profile import MICROSECONDS, Every, Frame, Profile
from safepoint.model.mutants import hunt
from safepoint.model.path import path_of
from safepoint.protocol.policy import FURTHER, Checks, at_most
from safepoint.show import svg
from safepoint.show.flames import flame_graph
from safepoint.show.points import Costing, plot
from safepoint.show.policies import counted
from tools import architecture, ratios
from tools.rooms import Room, rooms_of

CHECKOUT = Path(__file__).parents[1]
ROOTS = (CHECKOUT / "spec" / "safepoint", CHECKOUT / "impl" / "safepoint_vm")
PAGE = CHECKOUT / "docs" / "architecture.md"
POLICIES = CHECKOUT / "docs" / "policies.md"
TOUR = CHECKOUT / "docs" / "tour.md"
PERFORMANCE = CHECKOUT / "docs" / "performance.md"
PICTURES = CHECKOUT / "docs" / "pictures"
MUTANT = "poison-before-post"
"""The mistake whose counterexample README shows: the oldest one, in eight steps."""

DARK = {
    "#ffffff": "#0d1117",  # paper
    "#1b1f24": "#e6edf3",  # ink
    "#59636e": "#9da7b3",  # faint
    "#8c959f": "#6e7681",  # lines
    "#e4e8ec": "#2b323b",  # the heading over words
    "#b3261e": "#ff8078",  # poison, and what is fatal
    "#fff0ee": "#3a1a1a",  # the ground of the fatal step
    "#1a7f37": "#4ac26b",  # real
    "#0b5cad": "#6cb6ff",  # lanes
    "#7a3e9d": "#d2a8ff",
    "#9a5b00": "#f0b35a",
    "#00706b": "#56d4c9",
    "#8a2f5f": "#ff9bce",
    "#4d5b00": "#c3d36b",
}
"""Every colour of a picture on light paper -> the same on dark."""
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
MEASURED = re.compile(r"(?<=<!-- made by safepoint policies).*?\n(.*?)(?=<!-- end -->)", re.DOTALL)
COMPARED = re.compile(r"(?<=<!-- made by safepoint bench: ratios -->\n).*?(?=<!-- end -->)", re.DOTALL)
STACKS = re.compile(r"^(\w+)\.txt: (\d+) samples [^\n]*\n\$ cat \1\.txt\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FRAME = re.compile(r"(\S+) \((\S+):(\d+)\)")
TABLE = re.compile(r"(?<=<!-- rooms: make pictures -->\n).*?(?=<!-- end -->)", re.DOTALL)


def dark(drawing: str) -> str:
    """The picture for dark paper.  KeyError: a colour that is not in the table."""
    return COLOUR.sub(lambda colour: DARK[colour[0]], drawing)


def table(rooms: Iterable[Room]) -> Iterator[str]:
    """The rooms, highest floor first: what each is for, by its own docstring, and all that it imports (of its own package by short names)."""
    yield "| floor | room | what it is for | imports |\n|---|---|---|---|\n"
    for room in sorted(rooms, key=lambda room: (-room.floor, room.name)):
        imports = ", ".join(name.removeprefix(f"{room.root}.") for name in sorted(room.imports))
        yield f"| {room.floor} | `{room.name}` | {room.line.replace('|', '&#124;')} | {imports} |\n"


def page(before: str, rooms: Iterable[Room]) -> str:
    """The page with the table made anew."""
    return TABLE.sub(lambda _: "".join(table(rooms)), before)


def counterexample() -> str:
    """The shortest path on which the mistake shows.  ValueError: nothing catches it."""
    text = Text()
    caught = hunt(text, MUTANT).result
    if caught is None:
        raise ValueError(f"no scope catches {MUTANT}: it cannot be drawn")
    return svg.picture(path_of(caught), text)


def policies() -> str:
    """The policies as points, by the table of their page: to measure them takes minutes.  ValueError: it is no such table."""
    (body,) = MEASURED.findall(POLICIES.read_text(encoding="utf-8"))
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
    return plot([costing(dict(zip(head, row, strict=True))) for row in rows])


def costing(row: Mapping[str, str]) -> Costing:
    """A row of that table.  Where a bound differs under TSO the cell has both, and the worse of each kind is taken."""
    if row["added"] == "-":
        return Costing(row["policy"], {}, {}, "there is no machine code with their checks")
    there = row.get("elsewhere", "-").strip("-")
    kinds = ("frames", "back_edges", *(kind for kind, site in FURTHER.items() if site == there))
    bound: dict[str, Checks] = dict.fromkeys(kinds, 0)
    for cell in row["proved"].rstrip(")").split(" (TSO: "):
        for kind, n in zip(kinds, map(checks, cell.split(" / ")), strict=True):
            bound[kind] = bound[kind] if at_most(n, bound[kind]) else n
    added = zip(counted(there), map(int, row["added"].split(" / ")), strict=True)
    return Costing(row["policy"], bound, dict(added))


def checks(said: str) -> Checks:
    return None if said == "unbounded" else int(said) if said.isdecimal() else said


def flames() -> str:
    """The profile that the tour shows as collapsed stacks, as a flame graph: another run has other weights."""
    ((name, samples, stacks),) = STACKS.findall(TOUR.read_text(encoding="utf-8"))
    profile = Profile(Every(1000, MICROSECONDS), samples=int(samples))
    for line in stacks.splitlines():
        (thread, *calls), weight = line.rpartition(" ")[0].split(";"), int(line.rpartition(" ")[2])
        frames = (FRAME.fullmatch(call) for call in calls)
        profile.add(thread, [(tuple(Frame(f[1], f[2], int(f[3])) for f in frames if f), weight)])
    return flame_graph(profile, f"{name}.py, every 1ms")


def interpreters() -> str:
    """The interpreters, by the table of their page: to measure them takes minutes.  ValueError: it is no such table."""
    (block,) = COMPARED.findall(PERFORMANCE.read_text(encoding="utf-8"))
    return ratios.plot(ratios.table_of(block), {language.name: language.mark for language in LANGUAGES})


def files() -> list[Path]:
    """The files that are made."""
    drawn = product(("architecture", "counterexample", "policies", "flames", "interpreters"), ("light", "dark"))
    return [PAGE, *(PICTURES / f"{name}-{scheme}.svg" for name, scheme in drawn)]


@cache
def made() -> dict[Path, str]:
    """Each file that is made -> what it holds."""
    rooms = rooms_of(*ROOTS)
    drawn = (architecture.picture(rooms), counterexample(), policies(), flames(), interpreters())
    content = [page(PAGE.read_text(encoding="utf-8"), rooms.values())]
    content += [f"{scheme(drawing)}\n" for drawing in drawn for scheme in (str, dark)]
    return dict(zip(files(), content, strict=True))


def main() -> None:
    """Write the files.  Exit status 2: this is not a checkout."""
    if not PAGE.is_file():
        sys.stderr.write(
            f"{PAGE}: no such file (run `make pictures` in a checkout: an installed package has no docs)\n"
        )
        sys.exit(2)
    for file, content in made().items():
        file.write_text(content, encoding="utf-8")
        print(file.relative_to(CHECKOUT))


if __name__ == "__main__":
    main()
