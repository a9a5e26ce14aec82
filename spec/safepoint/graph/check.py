"""Is all of a text of the language?  What is left out of one graph stands in another."""

from __future__ import annotations

from safepoint.graph.expressions import Expressions
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import DECLARED, GLOBAL, Text


def check(text: Text) -> None:
    """Lower every procedure, and every mutant: a folded branch has not been read.  Raises ProtocolError."""
    helpers = Expressions(text, Instance())
    for name in text.functions:
        if name not in DECLARED and not name.startswith(GLOBAL) and not helpers.helper(name):
            compile_graph(text, name)
    for mutant in text.mutants.values():
        for _, _, procedure in mutant.places:
            compile_graph(text, procedure, Instance(mutant=mutant.name))
