"""What all commands share: exit statuses, errors of one line, and files that can be written.

Exit status: 0 holds, 1 a claim is refuted (or the guest raised), 2 bad usage or input, no verdict, or a defect; 130 Control-C.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import click

REFUTED, NO_VERDICT = 1, 2
INTERRUPTED = 130
FILE = click.Path(dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)


class Commands(click.Group):
    """The group of all commands: nothing but a refutation exits 1, and an error is one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command.  A reader that has gone, as `head` goes, is not a refutation: click would exit 1."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(NO_VERDICT)

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's, with our exit statuses.  A defect of ours shows its traceback and exits 2."""
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "safepoint"
            fail(f"{error.format_message().rstrip('.')} (see: {command} --help)")
        except click.ClickException as error:
            fail(error.format_message())
        except (click.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        except Exception:  # noqa: BLE001  # whatever it is, it must not exit 1
            traceback.print_exc()
            sys.exit(NO_VERDICT)
        sys.exit(status if isinstance(status, int) else 0)


def fail(message: str) -> NoReturn:
    """Bad input, or no verdict: print one line and exit 2."""
    click.echo(f"safepoint: {message}", err=True)
    sys.exit(NO_VERDICT)


def need(*directories: Path | None) -> None:
    """Exit at once if an output directory does not exist, before minutes of work."""
    for where in filter(None, directories):
        if not where.is_dir():
            fail(f"{where}: no such directory (make it first)")


def write(file: Path, content: str) -> None:
    """Write a file, or exit 2."""
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        fail(f"{file}: {error.strerror} (name a file that can be written)")
