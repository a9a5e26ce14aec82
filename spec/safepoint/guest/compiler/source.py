"""From bytes to a syntax tree; for a file that is not a Python program, one `GuestSyntaxError`.

CPython's own parser and its own later checks (`return` outside a function, a name that is local and global) decide what is
Python.  Nesting is bounded here, so that neither the parser nor the compiler, which recurses over the tree, overflows its stack.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator

from safepoint.guest.faults import GuestSyntaxError

DEPTH = 100
"""Most levels of nested statements and expressions; Python's own limit is 100 levels of indentation."""

COPIES = 100_000
"""Most nodes that the copies of one `finally` may have: it is compiled once for each way out of its `try`, as in CPython."""

BRACES = 10_000
"""Most braces in a line: CPython's parser takes time quadratic in the parts of an f-string."""

TOO_DEEP = f"nested more than {DEPTH} deep", "a part of it as a statement or a function of its own"
Located = ast.stmt | ast.expr | ast.arg | ast.keyword | ast.excepthandler
"""Nodes that have a position in the text."""


class Source:
    """A program's text, and errors at positions in it."""

    def __init__(self, source: bytes | str, file: str) -> None:
        self.file = file
        self.text = (self._decode(source) if isinstance(source, bytes) else source).replace("\r\n", "\n")
        self.text = self.text.replace("\r", "\n")
        self.lines = self.text.split("\n")
        if found := re.search("[\0\ud800-\udfff]", self.text):
            what = "a NUL character" if found[0] == "\0" else f"half a surrogate pair, U+{ord(found[0]):04X}"
            raise self._at_offset(found.start(), what, "the text without it")
        for number, line in enumerate(self.lines, 1):
            if line.count("{") > BRACES:
                what = f"more than {BRACES} braces in a line"
                raise GuestSyntaxError(self.file, number, line.index("{") + 1, what, "several f-strings")

    def error(self, node: Located, what: str, instead: str = "") -> GuestSyntaxError:
        """An error at a node.  The tree counts columns in bytes of UTF-8, the error in characters."""
        line = min(node.lineno, len(self.lines))  # CPython 3.11 gives wrong lines inside long f-strings
        before = self.lines[line - 1].encode()[: node.col_offset]
        return GuestSyntaxError(self.file, line, len(before.decode(errors="ignore")) + 1, what, instead)

    def parse(self) -> ast.Module:
        """The syntax tree.  Raises `GuestSyntaxError` if the text is not Python, or is nested too deeply."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `1 is 1` is legal
            try:
                tree = ast.parse(self.text, self.file)
                self._bound_depth(tree)
                self._bound_copies(tree)
                compile(tree, self.file, "exec", dont_inherit=True)
            except SyntaxError as error:
                raise self._python_says(error) from None
            except (RecursionError, MemoryError):  # how the parser reports nesting that is too deep
                raise GuestSyntaxError(self.file, 1, 1, *TOO_DEEP) from None
        return tree

    def _decode(self, data: bytes) -> str:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.text = data[: error.start].decode("utf-8-sig")
            what = f"byte 0x{data[error.start]:02x} is not UTF-8"
            raise self._at_offset(len(self.text), what, "the file in UTF-8") from None
        try:
            encoding, first = tokenize.detect_encoding(io.BytesIO(data).readline)
        except SyntaxError as error:
            raise GuestSyntaxError(self.file, 1, 1, error.msg, "# coding: utf-8") from None
        if encoding not in ("utf-8", "utf-8-sig"):
            raise GuestSyntaxError(self.file, len(first), 1, f"the encoding {encoding}", "# coding: utf-8")
        return text

    def _at_offset(self, offset: int, what: str, instead: str) -> GuestSyntaxError:
        line = self.text.count("\n", 0, offset) + 1
        column = offset - self.text.rfind("\n", 0, offset)
        return GuestSyntaxError(self.file, line, column, what, instead)

    def _python_says(self, error: SyntaxError) -> GuestSyntaxError:
        what = " ".join(error.msg.split())
        if what.startswith("Exceeds the limit"):  # of digits, long after ours of bits
            what = "an int literal that does not fit in 63 bits"
        return GuestSyntaxError(self.file, error.lineno or 1, max(1, error.offset or 1), what)

    def _bound_depth(self, tree: ast.Module) -> None:
        level: list[ast.AST] = [tree]
        for _ in range(DEPTH + 1):
            level = [child for node in level for child in _located(node)]
            if not level:
                return
        node = level[0]
        assert isinstance(node, Located)
        raise self.error(node, *TOO_DEEP)

    def _bound_copies(self, node: ast.AST) -> tuple[int, int]:
        """The size of a node's code, in nodes of the tree, and its number of ways out: return, break, continue.

        Without a bound, CPython itself takes exponential time for a `finally` in a `finally` in a `finally` …
        """
        if not isinstance(node, ast.Try):
            nodes, ways = self._sums(ast.iter_child_nodes(node))
        else:
            nodes, ways = self._sums([*node.body, *node.handlers, *node.orelse])
            final_nodes, final_ways = self._sums(node.finalbody)
            copies = ways + 2  # one for an exception, and one for the end of the body
            if final_nodes * copies > COPIES:
                raise self.error(node, "too many ways out of a try with finally", "a def with the code of the finally")
            nodes, ways = nodes + final_nodes * copies, ways + final_ways * copies
        return nodes + 1, ways + isinstance(node, ast.Return | ast.Break | ast.Continue)

    def _sums(self, nodes: Iterable[ast.AST]) -> tuple[int, int]:
        sizes = [self._bound_copies(node) for node in nodes]
        return sum(nodes for nodes, _ in sizes), sum(ways for _, ways in sizes)


def _located(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes one level below that have a position; nodes between (`arguments`, `comprehension`) are no level."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Located):
            yield child
        else:
            yield from _located(child)
