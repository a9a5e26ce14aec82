"""The command that writes the protocol in another language: `emit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from safepoint.cli.console import Written, fail, write
from safepoint.cli.given import POLICY, known_mutant
from safepoint.protocol.policy import Policy

STDOUT = Path("-")


class Output(Written):
    """A file to write, or `-`."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return STDOUT if str(value) == str(STDOUT) else super().convert(value, param, ctx)


def _once(_: click.Context, option: click.Parameter, given: tuple[Any, ...]) -> Any:
    """A header has one of it."""
    if len(given) > 1:
        fail(f"{option.opts[-1]} is given {len(given)} times (a header has one: run the command once for each)")
    return given[0]


@click.command()
@click.option("--c", "language", flag_value="c", help="As a C11 header that needs <stdatomic.h> and nothing else.")
@click.option(
    "-p", "--policy", type=POLICY, default=("folded",), show_default=True, multiple=True, callback=_once,
    help="Which VM family's check sites and trigger words to emit.",
)  # fmt: skip
@click.option(
    "--mutant", default=("",), metavar="NAME", multiple=True, callback=_once,
    help="Put this mutant in, for tests of what is to catch it; or weaker orders, joined by +: docs/orders.md.",
)  # fmt: skip
@click.option(
    "-o", "--output", "file", type=Output(), default=(str(STDOUT),), metavar="FILE", multiple=True, callback=_once,
    help="Write to FILE, in place of what it holds.  [default: standard output]",
)  # fmt: skip
def emit(*, language: str | None, policy: Policy, mutant: str, file: Path) -> None:
    """Write the protocol as code, for a VM of your own.

    A function for each procedure of the text, with its memory orders and its rules; what is the VM's own is a hook. docs/adopt.md goes
    from there to a VM that is judged.
    """
    from safepoint.emit.fold import CannotEmit
    from safepoint.emit.header import header
    from safepoint.graph.gather import text_of
    from safepoint.graph.text import ProtocolError

    if language is None:
        fail("no language is named (write safepoint emit --c)")
    known_mutant(text_of(policy), mutant)
    try:
        made = header(policy, mutant)
    except (CannotEmit, ProtocolError) as error:
        fail(str(error))
    if file == STDOUT:
        click.echo(made, nl=False)
    else:
        write(file, made)
