"""What stands under a picture: the meaning of shapes and words, and the command that replays the path."""

from __future__ import annotations

import re
import textwrap

from safepoint.graph.text import Text
from safepoint.model.counterexample import again
from safepoint.model.path import Path
from safepoint.show.shapes import (
    FAINT,
    GAP,
    INK,
    MARGIN,
    MONO_WIDE,
    POISONED,
    SANS_WIDE,
    SMALL,
    Rail,
    Sheet,
    arrow,
    chip,
    dot,
    label,
    wrap,
)

LEGEND = (
    (POISONED, "trigger", "a check of this word fails"),
    ("real", "trigger", "it passes"),
    ("", "changes", "changes the word"),
    ("", "reads", "reads it"),
    ("", "stores", "stores the value that the word has already"),
    ("", "buffered", "stores to, or with a dashed arrow reads, its own store buffer: not yet in memory"),
)
"""(the value of a word, or ""; the kind of the word, or of the arrow; what it means)."""

DECLARED = re.compile(r"    (\w+): \w+ +# (.+)")
"""The declaration of a word in the text, with its comment."""

NAMES = 96
"""The width of the column of words in the glossary."""


def legend(sheet: Sheet, rails: list[Rail], *, buffered: bool) -> None:
    """The meaning of the shapes that the picture uses, each drawn as it is drawn above."""
    sheet.y += 14
    x = float(MARGIN)
    for said, kind, meaning in LEGEND:
        if kind == "trigger" and not any(rail.kind == kind for rail in rails):
            continue
        if kind == "buffered" and not buffered:
            continue
        size = len(said) * SMALL * MONO_WIDE + 20 if said else 46
        room = size + 6 + len(meaning) * SMALL * SANS_WIDE
        if x + room > sheet.width - MARGIN:
            x, sheet.y = MARGIN, sheet.y + 30
        if said:
            chip(sheet, Rail("", "", kind, x, size, said), said, sheet.y)
        elif kind == "changes":
            arrow(sheet, x, x + size, sheet.y)
        else:
            arrow(sheet, x, x + size - 10, sheet.y, back=kind == "reads")
            dot(sheet, x + size - 5, sheet.y, reads=kind == "reads", buffered=kind == "buffered")
        sheet.front.append(label(x + size + 6, sheet.y + 4, meaning, SMALL, FAINT))
        x += room + GAP
    sheet.y += 10


def glossary(sheet: Sheet, rails: list[Rail], text: Text) -> None:
    """The comment with which the text declares each word of the picture."""
    found = (DECLARED.fullmatch(line) for lines in text.lines.values() for line in lines)
    comments = {match[1]: match[2] for match in found if match}
    words = dict.fromkeys(rail.word.split("[", maxsplit=1)[0] for rail in rails)
    sheet.y += 14 if any(word in comments for word in words) else 0
    for word in words:
        for number, line in enumerate(wrap(comments.get(word, ""), sheet.width - 2 * MARGIN - NAMES, SMALL)):
            sheet.y += 16
            if number == 0:
                sheet.front.append(label(MARGIN, sheet.y, word, SMALL, INK, mono=True))
            sheet.front.append(label(MARGIN + NAMES, sheet.y, line, SMALL, FAINT))


def replay_lines(sheet: Sheet, path: Path) -> None:
    """The command that replays the path.  One that is wrapped can be pasted as it stands: `replay` joins the lines of its string."""
    most = int((sheet.width - 2 * MARGIN) / SMALL / MONO_WIDE)
    lines = [again(path)]
    if len(lines[0]) > most:
        command, _, string = lines[0].rpartition(" ")
        lines = [*f"{command} \\".replace(" --", " \\\n--").split("\n"), *textwrap.wrap(string, most)]
    sheet.y += 14
    for line in lines:
        sheet.y += 16
        sheet.front.append(label(MARGIN, sheet.y, line, SMALL, FAINT, mono=True))
