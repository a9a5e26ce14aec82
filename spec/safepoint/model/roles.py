"""The roles of a custom text: which of its functions are explored beside the guest threads, and what another lacks to be one."""

from __future__ import annotations

import ast

from safepoint.graph.text import DECLARED, GLOBAL, Procedure, Text

THREAD = "mutator"


def roles(text: Text) -> tuple[str, ...]:
    """The endless functions that no other calls: without a parameter, or declared to belong to each thread.

    Raises ProtocolError for a function that would be explored nowhere.
    """
    free = endless(text)
    calls = _calls(text)
    todo = [THREAD, *free, *(name for name in calls if name.startswith(GLOBAL))]
    reached = set(todo)
    while todo:
        new = calls[todo.pop()] & calls.keys() - reached
        reached |= new
        todo += new
    for name in (each for each in calls if each not in reached):
        raise text.complaint(name, "no role calls it, so it is not explored", f"a role that ends in return {name}()")
    return free


def endless(text: Text, file: str = "") -> tuple[str, ...]:
    """What no function calls, of this file.  Raises ProtocolError for one that is no role."""
    calls = _calls(text)
    called = [name for name in calls if any(name in calls[other] for other in calls if other != name)]
    roots = [n for n in calls if n != THREAD and n not in called and not n.startswith(GLOBAL)]
    found = [n for n in roots if file in ("", text.functions[n].file)]
    for name in (THREAD, *found):
        if lacks := _lacks(name, text.functions[name], calls[name]):
            raise text.complaint(name, *lacks)
    return tuple(found)


def _calls(text: Text) -> dict[str, set[str]]:
    return {name: _called(p.node) for name, p in text.functions.items() if name not in DECLARED}


def _lacks(name: str, procedure: Procedure, calls: set[str]) -> tuple[str, str] | None:
    """What a function that is not called lacks to be a role, and what to write instead."""
    parameters = procedure.node.args.args
    if name == THREAD and procedure.kind:
        return (
            f"guest code is no {procedure.kind}: it is what the thread runs",
            f"def {THREAD}(t: Me), with nothing above it",
        )
    if name == THREAD:
        single = len(parameters) == 1 and parameters[0].annotation is not None
        return None if single else ("guest code is given its thread, and no more", f"def {THREAD}(t: Me) -> None")
    if name == GLOBAL.rstrip("_"):
        return (
            "it is not called, and it is no role",
            f"a name that begins with {GLOBAL}, if it claims something of every state",
        )
    if parameters and not procedure.kind:
        instead = f"@each_thread above it, for one beside each thread; @handler, for one that runs on each; or def {name}() -> None, with t = choose(threads())"
        return "it is not called, and it is no role: it has a parameter", instead
    if name not in calls and not _goes_round(procedure.node):
        call = f"return {name}({', '.join(a.arg for a in parameters)})"
        return "it is not called, and it is no role: it does not come round", f"{call} at its end"
    return None


def _goes_round(function: ast.FunctionDef) -> bool:
    return any(isinstance(n, ast.While) and isinstance(n.test, ast.Constant) and n.test.value for n in function.body)


def _called(function: ast.FunctionDef) -> set[str]:
    return {n.func.id for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def calls_of(node: ast.AST, *names: str) -> list[ast.Call]:
    """Where one of these is called, in the order of the walk."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in names]
