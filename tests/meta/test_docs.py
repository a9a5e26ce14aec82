"""The book says what the program does: every output is printed anew, every refusal is made, every rule has its section."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.ir import ACCESSES
from safepoint.graph.scope import OPERATORS
from safepoint.graph.text import TYPES, ProtocolError, Text
from safepoint.model.custom import chosen_of, judge_of, read, scopes_of
from safepoint.model.mutants import all_mutants
from safepoint.model.roles import roles
from safepoint.model.system import Model
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.rules import RULES
from tests.meta import instructions
from tests.model.pinned import CAUGHT

ROOT = Path(__file__).parents[2]
OWN_VM, GO = (ROOT / "tests" / "model" / "data" / name for name in ("own_vm.py", "go_preemption.py"))
PAGE = (ROOT / "docs" / "model-your-own.md").read_text(encoding="utf-8")
CHECKLIST = (ROOT / "docs" / "implement.md").read_text(encoding="utf-8")


def blocks(kind: str, page: str = PAGE) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def safepoint(directory: Path, monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, str]:
    monkeypatch.chdir(directory)
    result = CliRunner().invoke(cli, args)
    return result.exit_code, result.output


# -- model your own


def test_the_page_shows_the_files_and_they_are_short() -> None:
    shown = blocks("python")
    assert shown == [file.read_text(encoding="utf-8") for file in (OWN_VM, GO)]
    assert all(len(text.splitlines()) <= 80 for text in shown)


@pytest.mark.parametrize("block", blocks("console"), ids=lambda b: b.splitlines()[0].partition("--protocol ")[2])
def test_each_output_is_what_the_command_prints(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command, _, shown = block.partition("\n")
    code, output = safepoint(OWN_VM.parent, monkeypatch, *shlex.split(command.removeprefix("$ safepoint ")))
    assert output == shown
    assert code == int("refuted: " in shown)


def test_the_page_finds_the_bugs_and_then_the_clean_verdict() -> None:
    outcomes = [re.findall(r"refuted: mutant (\S+)|│ (holds|survives)", b) for b in blocks("console")]
    assert [sorted({m or h for m, h in found}) for found in outcomes] == [
        ["does-not-wait"], ["taken-back"], ["holds"], ["holds"], ["survives"], ["unpatch-unlocked"], ["take-first"],
        ["holds"], ["preempts-in-runtime"], ["signals-once"],
    ]  # fmt: skip


@pytest.mark.parametrize(("file", "mutant"), [(file, mutant) for file in (OWN_VM, GO) for mutant in read(file).mutants])
def test_each_mistake_of_the_page_is_caught_and_walked_again(
    file: Path, mutant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, found = safepoint(file.parent, monkeypatch, "explore", "--protocol", file.name, "--mutant", mutant)
    assert code == 1
    again = shlex.split(found.strip().splitlines()[-1].removeprefix("again: safepoint "))
    code, walked = safepoint(OWN_VM.parent, monkeypatch, *again)
    assert code == 1
    assert walked.strip() in found


def test_the_page_lists_the_language() -> None:
    """Every access, operator and word of the vocabulary that an own text may use."""
    section = PAGE.partition("\n## The language\n")[2].partition("\n## ")[0]
    named = " ".join(re.findall(r"`([^`]+)`", section))
    vocabulary = (
        "begins",
        "fence",
        "fence_others",
        "wait",
        "when",
        "pause",
        "claim",
        "choose",
        "atomic",
        "each_thread",
        "handler",
    )
    assert all(re.search(rf"\b{word}\b", named) for word in (*ACCESSES, *TYPES, *vocabulary) if word != "Triggers")
    assert all(f"{operator} " in f"{named} " for operator in (*OPERATORS.values(), "not", "and", "or", "is"))


def refused(diff: str, file: Path) -> str:
    """The file with the page's change made to it."""
    body = file.read_text(encoding="utf-8")
    for hunk in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        old, new = ("\n".join(x[1:] for x in hunk.splitlines() if x[0] in kept) for kept in (" -", " +"))
        assert body.count(old) == 1
        body = body.replace(old, new)
    return body


@pytest.mark.parametrize(("diff", "said"), list(zip(blocks("diff"), blocks("text"), strict=True)))
def test_each_refusal_reads_as_shown(diff: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_vm.py").write_text(refused(diff, OWN_VM), encoding="utf-8")
    code, output = safepoint(tmp_path, monkeypatch, "explore", "--protocol", "own_vm.py")
    assert (code, output) == (2, said)
    assert re.match(r"safepoint: own_vm\.py:\d+:\d+: .* \(write instead: .*\)\n", output)


# -- what makes a stranger's text explorable

WORLD = """\
class Thread:
    go: Trigger
    seen: Word


class Me(Thread):
    pass


def mutator(t: Me) -> None:
    t.seen.load()
    return mutator(t)


"""


def own(tmp_path: Path, more: str) -> Text:
    path = tmp_path / "mine.py"
    path.write_text(WORLD + more, encoding="utf-8")
    return read(path)


def test_roles_are_endless_and_called_by_nobody(tmp_path: Path) -> None:
    text = own(tmp_path, "def a() -> None:\n    lock()\n    return a()\n\n\n"
                         "def lock() -> None:\n    pause()\n    return lock()\n\n\ndef b() -> None:\n    pause()\n    return b()\n")  # fmt: skip
    assert roles(text) == ("a", "b")
    assert [s.name for s in chosen_of(text, "tiny")] == ["all-1"]
    assert [s.name for s in chosen_of(text, "nightly", threads=3)] == ["all-3"]
    assert chosen_of(text, "b-2") == [scopes_of(text)["b-2"]]
    assert scopes_of(text)["b-2"].roles == ("b",)


def test_a_world_without_a_role_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"mine\.py: the text defines no requester, only threads \(write: a role"):
        scopes_of(own(tmp_path, ""))


def test_words_of_other_names_begin_real_or_0(tmp_path: Path) -> None:
    text = own(
        tmp_path,
        "def a() -> None:\n    for t in threads():\n        t.go.store(t.go.poison)\n        t.seen.store(1)\n    return a()\n",
    )
    model = Model(text, scopes_of(text)["a-1"])
    assert (model.value(model.initial, 0, "go"), model.value(model.initial, 0, "seen")) == (1, 0)
    assert not judge_of(model)(model.initial)


def test_what_is_owed_is_known_under_other_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ran` needs what was `posted`: a footprint that leaves the ghost out would see it never, or always."""
    own(tmp_path, "def a() -> None:\n    for t in threads():\n        t.go.store(1)\n        posted(t, 1)\n        t.seen.store(1)\n"
                  "        ran(1, t)\n        pause()\n        {}\n    return a()\n".replace("{}", "ran(1, t)"))  # fmt: skip
    code, output = safepoint(tmp_path, monkeypatch, "explore", "--protocol", "mine.py")
    assert code == 1
    assert "served-once" in output
    source = (tmp_path / "mine.py").read_text(encoding="utf-8")
    (tmp_path / "mine.py").write_text(
        source.replace("        pause()\n        ran(1, t)\n", "        pause()\n"), encoding="utf-8"
    )
    assert safepoint(tmp_path, monkeypatch, "explore", "--protocol", "mine.py")[0] == 0


def test_what_no_scope_comes_by_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(
        tmp_path,
        "def a() -> None:\n    for t in threads():\n        if t.seen.load() == 1:\n            t.go.store(0)\n    return a()\n",
    )
    code, output = safepoint(tmp_path, monkeypatch, "explore", "--protocol", "mine.py")
    assert code == 0
    assert "vacuous: never reached: mine.py:18 store" in output


# -- the checklist


def sections() -> list[tuple[str, str]]:
    parts = re.split(r"^### (.+)$", CHECKLIST, flags=re.MULTILINE)
    return [
        (i.strip(), re.split(r"^## ", body, flags=re.MULTILINE)[0])
        for i, body in zip(parts[1::2], parts[2::2], strict=True)
    ]


def test_each_rule_has_one_section() -> None:
    assert sorted(rule for rule, _ in sections()) == sorted(RULES)


@pytest.mark.parametrize(("rule", "body"), sections(), ids=[rule for rule, _ in sections()])
def test_a_section_names_words_order_instructions_and_the_rules_own_mutants(rule: str, body: str) -> None:
    said = dict(re.findall(r"^\* (words|order|x86-64|AArch64|why): (.+)$", body, re.MULTILINE))
    needed = {"words", "order", "why"} | (set() if "control flow" in said["order"] else {"x86-64", "AArch64"})
    assert needed <= set(said)
    named = re.findall(r"`safepoint explore (?:-p (\w+) )?--mutant ([\w-]+)`", said["why"])
    own = {(policy.name, mutant.name) for policy, mutant in all_mutants() if mutant.rule == rule}
    assert {(policy or FOLDED.name, mutant) for policy, mutant in named} == own


@pytest.mark.parametrize("rule", [rule for rule, body in sections() if "(TSO only)" in body])
def test_what_is_called_tso_only_is(rule: str) -> None:
    """As `test_model` finds it."""
    assert {CAUGHT[m.name][1] for m in Text().mutants.values() if m.rule == rule} == {"tso"}


def test_the_checklist_names_words_and_rules_that_exist() -> None:
    words = {w for cls in Text().words.values() for w in cls}
    named = {
        w.removeprefix("world.")
        for _, body in sections()
        for line in re.findall(r"^\* words: (.*)$", body, re.MULTILINE)
        for w in re.findall(r"`([\w.]+)`", line)
    }
    assert named
    assert named <= words
    assert set(re.findall(r"\b[A-Z]+(?:-[A-Z]+){1,3}\b", CHECKLIST)) <= set(RULES)


def test_the_pages_name_no_command_that_there_is_not() -> None:
    pages = [page for where in ("*.md", "docs/*.md", "spec/*.md", "impl/*.md") for page in ROOT.glob(where)]
    named = {(page, word) for page in pages for word in re.findall(r"`safepoint ([a-z]+)", page.read_text("utf-8"))}
    assert len(named) > 20
    assert sorted(pair for pair in named if pair[1] not in cli.list_commands(Context(cli))) == []


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\S+?\.md)\)", index)) == {p.name for p in (ROOT / "docs").glob("*.md")} - {"README.md"}


def test_the_checklist_has_the_instructions_that_llvm_makes() -> None:
    """As `tests/model/memory/test_compiled.py` finds them."""
    assert instructions.BLOCK.findall(CHECKLIST) == [instructions.table()], "python -m tests.meta.instructions"
