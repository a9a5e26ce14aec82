"""Our protocol in another environment: what its own roles and features leave of our scopes, and add to them."""

from __future__ import annotations

import ast
from collections import defaultdict

from safepoint.graph.text import Text
from safepoint.model.roles import endless
from safepoint.model.scopes import SCOPES, Scope


def features(text: Text) -> frozenset[str]:
    """The features that the text asks for."""
    return frozenset(
        node.args[0].value
        for procedure in text.functions.values()
        for node in ast.walk(procedure.node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "slice_on"
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    )


def scopes_of_variant(text: Text) -> dict[str, Scope]:
    """Ours, as far as the text has their roles and features; and of each role that it adds one with one thread, one with two.

    Raises ProtocolError for a function beside our roles that is none.
    """
    if not text.instead:
        return SCOPES
    asked = features(text)
    found = {
        name: scope
        for name, scope in SCOPES.items()
        if text.functions.keys() >= set(scope.roles) and asked >= set(scope.slices)
    }
    ours = {role for scope in SCOPES.values() for role in scope.roles}
    for role in endless(text, text.files[-1].name):
        for threads, group in ((1, "tiny"), (2, "small")) if role not in ours else ():
            name = f"{role}-{threads}"
            found[name] = Scope(name, group, threads, (role,), f"{role} beside {threads} of its threads")
    return found


def left_out(text: Text) -> dict[str, list[str]]:
    """What the text has not, a role or a feature -> the scopes of ours that need it; each scope once, with the first that it needs."""
    kept, asked = scopes_of_variant(text), features(text)
    found = defaultdict[str, list[str]](list)
    for name, scope in SCOPES.items():
        if name not in kept:
            needs = [f"role {role}" for role in scope.roles if role not in text.functions]
            needs += [f"feature {feature}" for feature in scope.slices if feature not in asked]
            found[needs[0]].append(name)
    return dict(found)
