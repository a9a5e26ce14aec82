"""Pictures: they say what the path says, and nothing in them covers anything else."""

from __future__ import annotations

import random
import re
import shlex
import shutil
from pathlib import Path as File
from unittest.mock import ANY
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.model.counterexample import value_of
from safepoint.model.eventually import EVENTUALLY
from safepoint.model.explore import Result
from safepoint.model.path import Path, path_of, replay
from safepoint.model.properties import ALWAYS
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.rules import RULES
from safepoint.show import svg
from safepoint.show.lanes import in_buffer, is_drain, lanes_of, rails_of, source_of, wrap_code
from safepoint.show.shapes import CODE, MONO_WIDE, POISONED, SMALL, label
from tests.show.layout import NS, TEXT, check_layout, drawn, number, written

OWN_VM = File(__file__).parents[1] / "model" / "data" / "own_vm.py"


def walk(scope: str, steps: int, seed: int, memory: str = "sc") -> Path:
    """Some path of n steps."""
    rng, model = random.Random(seed), Model(TEXT, SCOPES[scope], memory=memory)
    states = [model.initial]
    for _ in range(steps):
        states.append(rng.choice([state for state, _, _ in model.successors(states[-1])]))
    return path_of(Result(model, 0, 0, steps, 0.0, path=tuple(states)))


def command_of(root: ET.Element) -> str:
    """The command under a picture, as a reader selects its lines and copies them."""
    lines = [t.text or "" for t in root.iter(f"{NS}text")]
    begin = next(number for number, line in enumerate(lines) if line.startswith("safepoint replay"))
    return "\n".join(lines[begin:]).replace("\\\n", "")


@pytest.mark.parametrize("mutant", ["does-not-wait", "unpatch-unlocked"])
def test_the_command_of_a_strangers_picture_works_as_it_stands(mutant: str, tmp_path: File) -> None:
    file, drawing = tmp_path / "with space" / "own_vm.py", tmp_path / "path.svg"
    file.parent.mkdir()
    shutil.copy(OWN_VM, file)
    found = CliRunner().invoke(cli, ["explore", "--protocol", str(file), "--mutant", mutant, "--svg", str(drawing)])
    command = shlex.split(command_of(ET.parse(drawing).getroot()))
    walked = CliRunner().invoke(cli, command[1:])
    assert (found.exit_code, walked.exit_code) == (1, 1)
    assert walked.output.strip() in found.output


def test_a_counterexample_is_told_step_by_step(pictures: dict[str, tuple[Path, ET.Element]]) -> None:
    for name, (path, root) in pictures.items():
        told = written(root)
        assert [r.findtext(f"{NS}title") for r in root.iter(f"{NS}rect") if len(r)] == [
            source_of(s) for s in path.steps
        ]
        for step in path.steps:
            assert source_of(step)[:12] in told, name
            assert is_drain(step) or f":{step.move.line}" in told
        assert shlex.split(command_of(root)) == ["safepoint", "replay", ANY], name
        assert "".join(shlex.split(command_of(root))[-1].split()) == path.replay
        assert RULES[TEXT.mutants[name].rule].text in told


def test_the_fatal_step_bears_the_name_and_the_sentence(pictures: dict[str, tuple[Path, ET.Element]]) -> None:
    for path, root in pictures.values():
        heavy = [r for r in root.iter(f"{NS}rect") if number(r, "stroke-width") > 2]
        told = written(root)
        if path.loop is not None:  # no step is fatal: it goes round for ever
            assert (heavy, path.broken in told, path.detail in told) == ([], True, True)
            continue
        assert [r.findtext(f"{NS}title") for r in heavy] == [source_of(path.steps[-1])]
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
        moving = {s.process for s in path.steps}
        heads = written(root)
        for i, process in enumerate(path.model.processes):
            assert process.name in heads
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


# ---------------------------------------------------------------------------------------------- the command


def test_explore_draws_the_path_that_it_prints(tmp_path: File, results: dict[str, Result]) -> None:
    file = tmp_path / "path.svg"
    mutant = next(iter(results))
    done = CliRunner().invoke(cli, ["explore", "--mutant", mutant, "--svg", str(file)])
    assert done.exit_code == 1, done.output
    string = re.findall(r"safepoint replay '([^']+)'", done.stdout)[-1]
    assert file.read_text(encoding="utf-8") == svg.picture(replay(TEXT, string), TEXT)


def test_explore_says_that_there_is_nothing_to_draw(tmp_path: File) -> None:
    file = tmp_path / "path.svg"
    done = CliRunner().invoke(cli, ["explore", "--scope", "interrupt-1", "--svg", str(file)])
    assert (done.exit_code, file.exists()) == (0, False)
    assert "not drawn: there is no path to show" in done.stderr
