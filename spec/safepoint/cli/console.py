"""What all commands share: exit statuses, the one clear error, and files that can be written.

Exit status: 0 holds, 1 a claim is refuted (or the guest raised), 2 bad usage or input, or no verdict; 130 Control-C.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

REFUTED, NO_VERDICT = 1, 2
INTERRUPTED = 130
FILE = click.Path(dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)


def fail(message: str) -> NoReturn:
    """Bad input, or no verdict: one clear error."""
    click.echo(f"safepoint: {message}", err=True)
    sys.exit(NO_VERDICT)


def need(*directories: Path | None) -> None:
    """Before work that takes minutes: is there a place for what it gives?"""
    for where in filter(None, directories):
        if not where.is_dir():
            fail(f"{where}: no such directory (make it first)")


def write(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        fail(f"{file}: {error.strerror} (name a file that can be written)")
