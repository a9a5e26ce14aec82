"""What of the protocol the interpreter has by hand: the list in impl/README.md, held against the code."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import safepoint_vm
from safepoint.graph.text import Text
from safepoint.protocol import files
from safepoint_vm.generate.procedures import PROCEDURES

ROOT = Path(safepoint_vm.__file__).parent
README = ROOT.parent / "README.md"


def listed() -> list[str]:
    """The places in the list: "module:name"."""
    section = README.read_text(encoding="utf-8").split("## What is not the text")[1]
    return re.findall(r"^\| [^|]+ \| `([\w.]+:[\w.]+)` \| [^|]+ \|$", section, re.MULTILINE)


def test_each_place_in_the_list_exists() -> None:
    places = listed()
    assert len(places) >= 10
    for place in places:
        module, _, name = place.partition(":")
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)


def trees() -> dict[str, ast.Module]:
    """Module -> its tree."""
    return {
        "safepoint_vm." + ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
        for path in ROOT.rglob("*.py")
    }


def words() -> set[str]:
    """The words that the text gives a thread and the world."""
    text = Text(files()[:-1])
    return {word for cls in ("Thread", "Me", "World") for word in text.words[cls]} - {"end"}


def written() -> set[tuple[str, str]]:
    """(module, word) for each word of the protocol that Python or a handler writes itself."""
    found = set()
    for module, tree in trees().items():
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="set" | "fill"), args=[ast.Constant(value=str(word)), *_]):
                    found.add((module, word))
                case ast.Call(func=ast.Name(id="put"), args=[_, _, ast.Constant(value=str(word)), *_]):
                    found.add((module, word))
                case ast.Call(
                    func=ast.Name(id="compare_and_swap" | "swap" | "fetch_add"),
                    args=[ast.Attribute(value=ast.Name(id="thread"), attr=word), *_],
                ) if module.startswith("safepoint_vm.handlers"):
                    found.add((module, word))
                case ast.Dict(keys=keys) if module == "safepoint_vm.threads.beginning":
                    found |= {
                        (module, k.value) for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)
                    }
                case ast.Assign(targets=[ast.Attribute(attr=word)]) if module.startswith("safepoint_vm.handlers"):
                    found.add((module, word))
    return {(module, word) for module, word in found if word in words()}


def test_only_a_new_record_is_written_by_hand() -> None:
    """Its limit (ticker, budget, page) and its first state, here and where `vm` and `schedules.run` make the host's threads; and a campaign in which something was
    wrong lets all go.  The checks of a ticker and of a budget count them down.  Where an allocation may end moves with its TLAB, and to the next sample.  A jump of compiled
    code begins overwritten.  All else is written by procedures of the text; and by two mistakes (`safepoint_vm.mutants`).
    """
    assert written() == {
        ("safepoint_vm.cores.campaign", "lock"),
        ("safepoint_vm.cores.campaign", "operation"),
        ("safepoint_vm.cores.campaign", "stop"),
        ("safepoint_vm.generate.page_faults", "page"),
        ("safepoint_vm.handlers.mutated", "limit"),
        ("safepoint_vm.handlers.shared.allocation", "heap_limit"),
        ("safepoint_vm.handlers.shared.sampling", "heap_limit"),
        ("safepoint_vm.handlers.shared.checks", "left"),
        ("safepoint_vm.handlers.shared.checks", "ticker"),
        ("safepoint_vm.schedules.run", "state"),
        ("safepoint_vm.threads.mutated_hosts", "state"),
        ("safepoint_vm.threads.beginning", "heap_limit"),
        ("safepoint_vm.threads.beginning", "left"),
        ("safepoint_vm.threads.beginning", "limit"),
        ("safepoint_vm.threads.context", "limit"),
        ("safepoint_vm.threads.thread", "state"),
        ("safepoint_vm.threads.beginning", "ticker"),
        ("safepoint_vm.threads.vm", "state"),
        ("safepoint_vm.tier.install", "code"),
    }


def test_every_procedure_that_is_compiled_is_called() -> None:
    """By its name, from Python or from a handler."""
    called: set[object] = set()
    for module, tree in trees().items():
        if not module.startswith("safepoint_vm.generate."):
            called |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            called |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert set(PROCEDURES) <= called
