"""Comments: what the text says beside its statements, as C has it, in lines of at most 100 columns."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from functools import lru_cache

from safepoint.emit.statements import Line
from safepoint.graph.text import Text
from safepoint.protocol.rules import RULES

WIDTH = 100
COLUMN = 56
"""Where comments stand beside statements."""
INDENT = "    "
RULE = re.compile(r"\b[A-Z]+(?:-[A-Z]+){1,4}\b")


def comment(paragraphs: Iterable[str], indent: str = "") -> list[str]:
    """Paragraphs as one comment; one that begins with a space is left as it is."""
    lines: list[str] = []
    for paragraph in paragraphs:
        if lines:
            lines.append("")
        lines += (
            [paragraph.rstrip()]
            if paragraph.startswith(" ")
            else textwrap.wrap(" ".join(paragraph.split()), WIDTH - len(indent) - 6)
        )
    if len(lines) == 1:
        return [f"{indent}/* {lines[0]} */"]
    return [
        f"{indent}/* {lines[0]}",
        *(f"{indent} * {line}".rstrip() for line in lines[1:-1]),
        f"{indent} * {lines[-1]} */",
    ]


def beside(code: str, said: str) -> list[str]:
    """A line of C with a comment: at its end, or above it where there is no room."""
    if not said:
        return [code]
    if max(COLUMN, len(code) + 2) + len(said) + 6 <= WIDTH:
        return [f"{code:<{COLUMN - 2}}  /* {said} */"]
    return [*comment([said], code[: len(code) - len(code.lstrip())]), code]


def table(rows: Iterable[tuple[str, str]], indent: int) -> Iterator[str]:
    """Lines of a list of names, each with a sentence; inside a comment."""
    for name, sentence in rows:
        first, *more = textwrap.wrap(" ".join(sentence.split()), WIDTH - indent - 6)
        yield f"   {name:<{indent - 2}}{first}"
        yield from (f"   {'':<{indent - 2}}{line}" for line in more)


def wrapped(first: str, items: Iterable[str], last: str) -> list[str]:
    """A list in braces: on one line, or on lines of its own."""
    said = list(items)
    whole = f"{first} {', '.join(said)} {last}"
    if len(whole) <= WIDTH:
        return [whole]
    return [first, *textwrap.wrap(", ".join(said), WIDTH, initial_indent=INDENT, subsequent_indent=INDENT), last]


def comments_of(text: Text) -> dict[tuple[str, int], str]:
    """What stands behind a `#` in the text, by file and line."""
    return {(file, line): said for file, lines in text.lines.items() for line, said in _comments("\n".join(lines))}


@lru_cache
def _comments(source: str) -> list[tuple[int, str]]:
    """The comments of a file, each with its line."""
    tokens = tokenize.generate_tokens(io.StringIO(f"{source}\n").readline)
    return [(token.start[0], token.string.lstrip("# ").strip()) for token in tokens if token.type == tokenize.COMMENT]


def rules_in(said: Iterable[str]) -> list[str]:
    """The rules that comments cite, in the order of the register."""
    cited = {name for each in said for name in RULE.findall(each)}
    return [name for name in RULES if name in cited]


def in_c(sentence: str, names: Iterable[str]) -> str:
    """A sentence of the text, whose procedures and words stand in backquotes, with their names in C."""
    known = {*names}
    return re.sub(r"`(\w+)`", lambda m: f"`sp_{m[1]}`" if m[1] in known else m[0], sentence)


def docstring(text: Text, procedure: str) -> list[str]:
    """What the text says of a procedure, in paragraphs."""
    said = ast.get_docstring(text.functions[procedure].node) or ""
    return [" ".join(paragraph.split()) for paragraph in said.split("\n\n") if paragraph]


def heading(text: Text, file: str) -> str:
    """What a file of the text is about: the first sentence of its docstring."""
    said = next(line for line in text.lines[file] if line.startswith('"""'))
    return re.split(r"[:,.]", re.sub(r"^THE PROTOCOL[,:] (?:its |the )?", "", said.strip('"').strip()))[0]


def set_lines(lines: Iterable[Line], file: str, comments: dict[tuple[str, int], str]) -> Iterator[str]:
    """Lines of C, with the comments of the text beside them, or above where there is no room."""
    said: set[int] = set()
    for line in lines:
        indent = INDENT * max(0, line.depth)
        code = f"{indent}{line.code}"
        yield from beside(code, comments.get((file, line.source), "") if line.source not in said else "")
        said.add(line.source)
