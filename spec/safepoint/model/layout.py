"""Where the shared state of a model is in a packed state."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.graph.ir import Cell
from safepoint.model.fields import Field
from safepoint.model.widths import Widths
from safepoint.protocol.words import HANDSHAKE


@dataclass
class Layout:
    """Where the shared state is in a packed state, and how wide a word is.

    cells: shared word -> its bits.  ghosts: thread -> the kinds of request that it is owed (posted, not taken), that it holds
    (taken, not served), and that are due (served, to be raised by the site).  waiting: of each process that asks for operations,
    what became of the one that it asked for: 0: it has asked for none; from 1: the thread that has yet to be operated on; `has_run`.
    reals: trigger word, by its name without number -> its real value.
    """

    cells: dict[Cell, Field]
    ghosts: dict[int | str, tuple[Field, Field, Field]]
    waiting: list[Field]
    reals: dict[str, int]
    has_run: int
    widths: Widths
    takes: bool  # does the text say what the owner takes?  If not, what is served is owed no more, but for what was `cleared`
    hint: int = HANDSHAKE  # a kind whose bit is a hint, and is not owed until it is `asked`
    buffer_was_full: str = ""  # the first store that had to wait for room in its store buffer: whose, where
