"""Pictures: that they say what the path says, that nothing in them covers anything else, and that the page stands alone."""

from __future__ import annotations

import json
import random
import re
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path as File
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.text import Text
from safepoint.model.counterexample import value_of
from safepoint.model.eventually import EVENTUALLY
from safepoint.model.explore import Result
from safepoint.model.path import Path, path_of, replay
from safepoint.model.properties import ALWAYS
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.rules import RULES
from safepoint.show import report as page
from safepoint.show import svg
from safepoint.show.lanes import in_buffer, is_drain, lanes_of, rails_of, source_of, wrap_code
from safepoint.show.shapes import CODE, MONO_WIDE, POISONED, SANS_WIDE, SMALL, label
from safepoint.verify.report import Report
from tests.model.counterexamples import counterexample

TEXT = Text()
NS = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    return {name: counterexample(name) for name in TEXT.mutants}


@pytest.fixture(scope="module")
def pictures(results: dict[str, Result]) -> dict[str, tuple[Path, ET.Element]]:
    """Each counterexample, drawn once: to be looked at, not to be changed."""
    paths = {name: path_of(result) for name, result in results.items()}
    return {name: (path, drawn(path)) for name, path in paths.items()}


def drawn(path: Path) -> ET.Element:
    return ET.fromstring(svg.picture(path, TEXT))


def written(root: ET.Element) -> str:
    """All that the picture says, in the order in which it is written; a wrapped sentence is whole again."""
    told = " ".join(t.text or "" for t in root.iter(f"{NS}text"))
    return " ".join(told.split())


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0"))


Box = tuple[float, float, float, float]


def area(text: ET.Element) -> Box:
    """Left, top, right, bottom, in the widest font: half a unit is allowed for rounding."""
    size = number(text, "font-size")
    wide = MONO_WIDE if "Mono" in text.get("font-family", "") else SANS_WIDE
    width = len(text.text or "") * size * wide
    left = number(text, "x") - (width / 2 if text.get("text-anchor") == "middle" else 0)
    return left + 0.5, number(text, "y") - size * 0.8, left + width - 0.5, number(text, "y") + size * 0.2


def rectangle(rect: ET.Element) -> Box:
    x, y = number(rect, "x"), number(rect, "y")
    return x, y, x + number(rect, "width"), y + number(rect, "height")


def cross(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(a: Box, b: Box) -> bool:
    return b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3]


def check_layout(root: ET.Element) -> None:
    """Nothing written covers anything written, nor leaves the sheet; a shape that it touches holds the whole of it."""
    sheet = (0.0, 0.0, number(root, "width"), number(root, "height"))
    texts = [(t.text or "", area(t)) for t in root.iter(f"{NS}text")]
    shapes = [rectangle(r) for r in root.iter(f"{NS}rect") if r.get("fill-opacity") is None]
    for said, where in texts:
        assert inside(where, sheet), f"{said!r} leaves the sheet"
        assert all(inside(where, s) for s in shapes if cross(where, s)), f"{said!r} leaves its box"
    for (a, at), (b, where) in combinations(texts, 2):
        assert not cross(at, where), f"{a!r} and {b!r} cover each other"
    for r, s in combinations(shapes, 2):
        assert not cross(r, s) or inside(r, s) or inside(s, r), "two boxes overlap"


def walk(scope: str, steps: int, seed: int, memory: str = "sc") -> Path:
    """Some path of so many steps."""
    rng, model = random.Random(seed), Model(TEXT, SCOPES[scope], memory=memory)
    states = [model.initial]
    for _ in range(steps):
        states.append(rng.choice([state for state, _, _ in model.successors(states[-1])]))
    return path_of(Result(model, 0, 0, steps, 0.0, path=tuple(states)))


def test_a_counterexample_is_told_step_by_step(pictures: dict[str, tuple[Path, ET.Element]]) -> None:
    for name, (path, root) in pictures.items():
        told = written(root)
        assert [r.findtext(f"{NS}title") for r in root.iter(f"{NS}rect") if len(r)] == [
            source_of(s) for s in path.steps
        ]
        for step in path.steps:
            assert source_of(step)[:12] in told, name
            assert is_drain(step) or f":{step.move.line}" in told
        assert f"safepoint replay '{path.replay}'" in told
        assert RULES[TEXT.mutants[name].rule].text in told


def test_the_fatal_step_bears_the_name_and_the_sentence(pictures: dict[str, tuple[Path, ET.Element]]) -> None:
    for path, root in pictures.values():
        heavy = [r for r in root.iter(f"{NS}rect") if number(r, "stroke-width") > 2]
        assert [r.findtext(f"{NS}title") for r in heavy] == [source_of(path.steps[-1])]
        told = written(root)
        assert f"broken by this step: {path.broken}" in told
        after = told[told.index("broken by this step") :]
        assert (ALWAYS | EVENTUALLY)[path.broken] in after
        assert path.detail in after


def test_a_path_that_breaks_nothing_has_no_fatal_step() -> None:
    root = drawn(walk("both-1", 6, 1))
    assert "broken" not in written(root).replace("nothing is broken", "")
    assert not [r for r in root.iter(f"{NS}rect") if number(r, "stroke-width") > 2]


def test_a_poisoned_word_differs_in_shape_and_in_word(pictures: dict[str, tuple[Path, ET.Element]]) -> None:
    """Eight corners for each poisoned value: where a word becomes poisoned, in the row at the end, and in the legend.

    A picture whose threads touch no trigger word, as that of a world that never starts again, has none to explain.
    """
    for name, (path, root) in pictures.items():
        corners = [len((p.get("points") or "").split()) for p in root.iter(f"{NS}polygon")]
        chips = [t.text for t in root.iter(f"{NS}text") if t.text == POISONED]
        assert corners.count(8) == len(chips)
        triggers = [rail.key for rail in rails_of(path, TEXT, 0) if rail.kind == "trigger"]
        values = {
            key: [
                value_of(path, c.word, c.new, TEXT) for s in path.steps for c in s.changes if (c.owner, c.word) == key
            ]
            for key in triggers
        }
        stores = [value for after in values.values() for value in after if value == POISONED]
        at_the_end = [after for after in values.values() if after[-1:] == [POISONED]]
        assert len(chips) == len(stores) + len(at_the_end) + bool(triggers), name
        thick = [n for n in root.iter(f"{NS}line") if number(n, "stroke-width") > 4]
        assert bool(thick) == bool(stores)
        assert all(line.get("stroke-dasharray") for line in thick)


def test_poison_is_in_nearly_every_picture(pictures: dict[str, tuple[Path, ET.Element]]) -> None:
    """The check of the check above: most mistakes are about words that are poisoned, not all of them."""
    without = [name for name, (_, root) in pictures.items() if POISONED not in written(root).split()]
    assert 0 < len(without) < len(pictures) / 4


def test_only_words_that_change_and_triggers_beside_them_have_a_column(results: dict[str, Result]) -> None:
    for result in results.values():
        path = path_of(result)
        changed = {(c.owner, c.word) for s in path.steps for c in s.changes}
        shown = {rail.key: rail.kind for rail in rails_of(path, TEXT, 0)}
        assert changed <= set(shown)
        assert all(key in changed or kind == "trigger" for key, kind in shown.items())


def test_a_thread_that_does_nothing_is_named_and_has_no_lane(pictures: dict[str, tuple[Path, ET.Element]]) -> None:
    for path, root in pictures.values():
        moving = {s.mover for s in path.steps}
        heads = written(root)
        for i, mover in enumerate(path.model.movers):
            assert mover.name in heads
            assert (i in lanes_of(path, TEXT)) == (i in moving)


def test_nothing_covers_anything(pictures: dict[str, tuple[Path, ET.Element]]) -> None:
    for _, root in pictures.values():
        check_layout(root)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_path_of_several_threads_is_laid_out_too(seed: int) -> None:
    scope = next(s.name for s in SCOPES.values() if s.threads == 2)
    path = walk(scope, 20, seed)
    root = drawn(path)
    check_layout(root)
    told = written(root)
    assert all(f" {n} " in told for n in range(1, 21))


@pytest.mark.parametrize("memory", ["sc", "tso"])
def test_what_is_on_its_way_to_memory_is_a_square(memory: str) -> None:
    """Of the stores of a path, those that memory has not seen when they are made: none under SC, all under TSO."""
    path = walk(next(s.name for s in SCOPES.values() if len(s.roles) == 1), 40, 3, memory)
    root = drawn(path)
    check_layout(root)
    stores = [n for n, s in enumerate(path.steps, start=1) if re.search(r":store ", s.move.name)]
    assert stores
    assert (set(stores) <= in_buffer(path)) == (memory == "tso")
    squares = [r for r in root.iter(f"{NS}rect") if number(r, "width") == number(r, "height") == 9]
    assert bool(squares) == (memory == "tso") == ("reaches memory" in written(root))


def test_the_layout_check_sees_a_cover(results: dict[str, Result]) -> None:
    """The judge of the tests above, judged."""
    root = drawn(path_of(next(iter(results.values()))))
    texts = list(root.iter(f"{NS}text"))
    texts[3].set("y", texts[4].get("y", ""))
    with pytest.raises(AssertionError, match="cover each other"):
        check_layout(root)


def test_a_long_statement_is_wrapped_and_at_last_cut_where_one_sees_it() -> None:
    width = 30 * CODE * MONO_WIDE + 26
    lines = wrap_code("t.word.store(" + " | ".join(f"CONSTANT_{i}" for i in range(40)) + ")", width)
    assert len(lines) == 3
    assert all(len(line) <= 30 for line in lines)
    assert lines[-1].endswith(" …")


def test_what_xml_would_take_for_its_own_is_escaped() -> None:
    element = ET.fromstring(str(label(0, 0, '  if a < b & c > "d"', SMALL)))
    assert element.text == '\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}if a < b & c > "d"'


# ---------------------------------------------------------------------------------------------- the page


def report_of(results: dict[str, Result]) -> Report:
    """As `safepoint verify` would fill it, without the minutes that takes."""
    scope = next(iter(SCOPES.values()))
    return Report(
        protocol=[{"policy": "folded", "memory": "sc", "threads": 1, "scope": scope.name, "states": 12345, "transitions": 2,
                   "seconds": 0.1, "verdict": "holds", "bound": {"frames": 1, "back_edges": None}}],
        mutants=[{"name": m.name, "rule": m.rule, "property": results[m.name].broken, "caught": True,
                  "steps": len(results[m.name].path) - 1, "memory": results[m.name].model.memory,
                  "scope": results[m.name].model.scope.name}
                 for m in TEXT.mutants.values() if m.name in results],
        differential={"programs": 7, "interrupts": 47618, "mismatches": 0, "worst": {"frames": 1, "back_edges": 1}},
        targets=[{"name": "toy", "claims": 9, "refuted": ["some-claim"]}],
        left_out={"concurrency": "not built <yet>"},
    )  # fmt: skip


class Outline(HTMLParser):
    """Tags that are left open, links, and what the reader sees."""

    VOID = ("meta", "!doctype")
    IMPLIED = ("tr", "td", "th")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.ids: list[str] = []
        said: list[str] = []
        prose: list[str] = []
        self.read = said, prose
        self.feed(source)
        self.close()
        self.said = " ".join(said)  # all that is read
        self.prose = " ".join(prose)  # and what of it is not in a picture

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in (*self.VOID, *self.IMPLIED, "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.IMPLIED:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            return
        said, prose = self.read
        said += data.split()
        if "svg" not in self.open:
            prose += data.split()


def test_the_page_stands_alone(results: dict[str, Result]) -> None:
    source = page.html(report_of(results), TEXT, list(results.values()))
    outline = Outline(source)
    assert not outline.open
    assert len(outline.ids) == len(set(outline.ids))
    links = [value for _, name, value in outline.attributes if name in ("href", "src", "action")]
    assert links
    assert all(link.startswith("#") and link[1:] in outline.ids for link in links)
    assert not re.search(r"<script|<link|@import|url\(|\bon\w+=", source)
    assert set(re.findall(r"https?://[^\"' ]+", source)) == {NS.strip("{}")}


def test_the_page_tells_all_that_was_found(results: dict[str, Result]) -> None:
    report = report_of(results)
    outline = Outline(page.html(report, TEXT, list(results.values())))
    said = outline.prose
    assert said.index("holds") < said.index("12,345")
    for rule in RULES.values():
        assert rule.text in said
        assert rule.without in said
    for row in report.mutants:
        assert f"{row['name']} breaks {row['rule']}: caught by {row['property']} in {row['steps']} steps" in said
        assert path_of(results[row["name"]]).replay in outline.said
    assert [tag for tag in outline.attributes if tag[0] == "svg" and tag[1] == "role"] == [
        ("svg", "role", "img")
    ] * len(results)
    for expected in ("back-edges unbounded", "47,618", "some-claim", "not built <yet>", "worst: back edges"):
        assert expected in said


def test_the_page_says_what_went_wrong_first(results: dict[str, Result]) -> None:
    report = report_of(results)
    first = report.mutants[0]
    first.update(caught=False, property=None, steps=0)
    report.implementation_mutants = [{"name": report.mutants[1]["name"], "differential": False}]
    report.failures.append("a <failure> & its command")
    name, result = next(iter(results.items()))
    result.model.mutant = ""  # as if the text itself were broken
    try:
        source = page.html(report, TEXT, [result])
    finally:
        result.model.mutant = name
    said = Outline(source).said
    assert (
        said.index("refuted")
        < said.index("a <failure> & its command")
        < said.index("broken by this step")
        < said.index("Every state of the protocol")
    )
    assert f"{first['name']} breaks {first['rule']}: refuted: no property catches it" in said
    assert "compiled into the interpreter: refuted: not noticed" in said


def test_nothing_explored_is_no_verdict() -> None:
    said = Outline(page.html(Report(), TEXT, [])).said
    assert "not explored" in said
    assert "holds" not in said


# ---------------------------------------------------------------------------------------------- the commands


def test_explore_draws_the_path_that_it_prints(tmp_path: File, results: dict[str, Result]) -> None:
    file = tmp_path / "path.svg"
    mutant = next(iter(results))
    done = CliRunner().invoke(cli, ["explore", "--mutant", mutant, "--svg", str(file)])
    assert done.exit_code == 1, done.output
    string = re.findall(r"safepoint replay '([^']+)'", done.stdout)[-1]
    assert file.read_text(encoding="utf-8") == svg.picture(replay(TEXT, string), TEXT)


def test_explore_says_that_there_is_nothing_to_draw(tmp_path: File) -> None:
    file = tmp_path / "path.svg"
    done = CliRunner().invoke(cli, ["explore", "--scope", next(iter(SCOPES)), "--svg", str(file)])
    assert (done.exit_code, file.exists()) == (0, False)
    assert "not drawn: there is no path to show" in done.stderr


@pytest.mark.parametrize("command", [["explore", "--svg", "{}/no/path.svg"], ["verify", "--report", "{}/no"]])
def test_a_place_that_is_not_there_is_told_before_the_work(tmp_path: File, command: list[str]) -> None:
    done = CliRunner().invoke(cli, [word.format(tmp_path) for word in command])
    assert done.exit_code == 2
    assert done.stderr == f"safepoint: {tmp_path}/no: no such directory (make it first)\n"


def test_verify_writes_the_page(tmp_path: File, results: dict[str, Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its counterexamples are found again: of what happens in the end, of TSO, and the ordinary kind."""
    some = {name: results[name] for name in ("never-restored", "test-before-take", "no-recheck")}
    monkeypatch.setattr("safepoint.verify.run.run", lambda **_: report_of(some))
    done = CliRunner().invoke(cli, ["verify", "--report", str(tmp_path), "--json", str(tmp_path / "figures.json")])
    assert done.exit_code == 0, done.output
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert source.count("<svg ") == len(some)
    said = Outline(source).said
    assert all(f"safepoint replay '{path_of(result).replay}'" in said for result in some.values())
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["differential"]["interrupts"] == 47618
