"""Custom texts of tests: the words that they share, and what the command says of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from safepoint.cli.main import cli

HEAD = """\
K, L = 1, 2


class Thread:
    limit: Trigger
    pending: Word
    flag: Word


class Me(Thread):
    mine: int


class World:
    lock: Word
    stop: Word


world: World


"""


@dataclass(frozen=True)
class Said:
    """What the command says: exit status, output, errors."""

    code: int
    out: str
    err: str

    @property
    def broken(self) -> str:
        """The property that is refuted; "" if all hold."""
        assert self.code == int(self.out.startswith("refuted: ")), self.out + self.err
        return self.out.splitlines()[1].partition(":")[0] if self.code else ""


def explore(file: Path, *args: str) -> Said:
    result = CliRunner().invoke(cli, ["explore", "--protocol", str(file), *args])
    return Said(result.exit_code, result.stdout, result.stderr)


def own(tmp_path: Path, body: str, *args: str) -> Said:
    file = tmp_path / "mine.py"
    file.write_text(HEAD + body, encoding="utf-8")
    return explore(file, *args)


def verdict(tmp_path: Path, body: str, *args: str) -> str:
    return own(tmp_path, body, *args).broken


SERVES = """
def mutator(t: Me) -> None:
    match choose():
        case "computes":
            pause()
        case "loops":
            pause()
            wait(t.limit.load() == t.limit.poison)
    if t.limit.load() == t.limit.poison:
        {serves}
    return mutator(t)


def poster() -> None:
    t = choose(threads())
    t.pending.fetch_or(K)
    posted(t, K)
    t.limit.store(t.limit.poison)
    {waits}
    return poster()
"""
"""A thread that is asked through its limit, and a poster: `serves` and `waits` are left open."""

RIGHT = "t.limit.swap(t.limit.real); bits = t.pending.swap(0); served(bits, t)"
"""The right way to serve."""
