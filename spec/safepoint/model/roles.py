"""The roles of a custom text: which of its functions are explored beside the guest threads, and what another lacks to be one."""

from __future__ import annotations

import ast

from safepoint.graph.text import Procedure, Text

THREAD, NOT_EXPLORED = "mutator", ("threads",)


def roles(text: Text) -> tuple[str, ...]:
    """The endless functions that no other calls: without a parameter, or declared to belong to each thread.

    Raises ProtocolError for a function that would be explored nowhere.
    """
    calls = {name: _called(p.node) for name, p in text.functions.items() if name not in NOT_EXPLORED}
    free = [name for name in calls if name != THREAD and not any(name in calls[o] for o in calls if o != name)]
    for name in (THREAD, *free):
        if lacks := _lacks(name, text.functions[name], calls[name]):
            raise text.complaint(name, *lacks)
    reached, todo = {THREAD, *free}, [THREAD, *free]
    while todo:
        new = calls[todo.pop()] & calls.keys() - reached
        reached |= new
        todo += new
    for name in (each for each in calls if each not in reached):
        raise text.complaint(name, "no role calls it, so it is not explored", f"a role that ends in return {name}()")
    return tuple(free)


def _lacks(name: str, procedure: Procedure, calls: set[str]) -> tuple[str, str] | None:
    """What a function that nobody calls lacks to be a role, and what to write instead."""
    parameters = procedure.node.args.args
    if name == THREAD:
        single = len(parameters) == 1 and parameters[0].annotation is not None
        return None if single else ("guest code is given its thread, and no more", f"def {THREAD}(t: Me) -> None")
    if parameters and not procedure.kind:
        instead = f"@each_thread above it, for one beside each thread; @handler, for one that runs on each; or def {name}() -> None, with t = choose(threads())"
        return "nobody calls it, and it is no role: it has a parameter", instead
    if name not in calls and not _goes_round(procedure.node):
        call = f"return {name}({', '.join(a.arg for a in parameters)})"
        return "nobody calls it, and it is no role: it does not come round", f"{call} at its end"
    return None


def _goes_round(function: ast.FunctionDef) -> bool:
    return any(isinstance(n, ast.While) and isinstance(n.test, ast.Constant) and n.test.value for n in function.body)


def _called(function: ast.FunctionDef) -> set[str]:
    return {n.func.id for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
