"""What all commands share: errors of one line, and files that can be written.

A command returns its exit status: nothing that it calls can end the process with another.
"""

from __future__ import annotations

import io
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from safepoint.cli.status import INTERRUPTED, NO_VERDICT, READER_GONE

ON = click.option(
    "--on",
    default="",
    metavar="ADDRESS",
    help="Hand the work to the Dask cluster whose scheduler listens there, for example tcp://10.0.0.1:8786.",
)
KEEP = click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep each result in this directory as soon as it is known, and make none again that is there.",
)
FEW, SHOWN = 20, 8
"""How many names an error says at most; and how many it says as examples if there are more."""
PLACE = re.compile(r'File "(.+)", line (\d+), in (.+)')
"""A line of a traceback."""


class OutputLost(Exception):
    """Standard output has taken no more.  No OSError: click and rich would exit 1 for a reader that has gone."""


class ReaderGone(Exception):
    """Standard output is a pipe, and its reader has gone: it has what it wanted, so this is no error.  No OSError, as `OutputLost`."""


class Output(io.FileIO):
    """Standard output.  Once it is lost, the rest goes nowhere."""

    is_lost = False

    def write(self, data: Any) -> int:
        if self.is_lost:
            return len(data)
        try:
            return super().write(data)
        except BrokenPipeError:
            self.is_lost = True
            raise ReaderGone from None
        except OSError as error:
            self.is_lost = True
            raise OutputLost(error.strerror) from error


class Errors(io.FileIO):
    """Standard error.  If it takes no more, no message can be shown, and the exit status says what it said before."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def watch_output() -> None:
    """In place of the process's own."""
    for name, watched in (("stdout", Output), ("stderr", Errors)):
        if isinstance(out := getattr(sys, name), io.TextIOWrapper):
            buffer = io.BufferedWriter(watched(out.fileno(), "wb", closefd=False))
            line_buffering = out.line_buffering or out.write_through  # which PYTHONUNBUFFERED sets instead
            inside = io.TextIOWrapper(buffer, out.encoding, out.errors, line_buffering=line_buffering)
            setattr(sys, name, inside)


class Commands(click.Group):
    """The group of all commands: nothing but a refutation exits 1, and an error is one line.

    elsewhere: commands by name, each to the module that has it, which is imported when the command is called or shown.
    """

    def __init__(self, *args: Any, elsewhere: Mapping[str, str], **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return sorted({*super().list_commands(ctx), *self.elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command, None: there is none of this name."""
        if cmd_name in self.elsewhere and cmd_name not in self.commands:
            self.add_command(getattr(import_module(self.elsewhere[cmd_name]), cmd_name))
        return super().get_command(ctx, cmd_name)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the options.  What `--help` prints to may be gone."""
        with _errors_in_one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> int:
        """Run a command.  Returns its exit status."""
        with _errors_in_one_line(whole=ctx.params["whole"]):
            status = super().invoke(ctx)
            sys.stdout.flush()
        return int(status or 0)

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's, with our exit statuses."""
        sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123  # closed: no reader can be told
        try:
            if sys.stdout is None:
                fail("standard output: is closed (give the command a file, or a pipe)")
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "safepoint"
            status = _tell(f"{error.format_message().rstrip('.')} (see: {command} --help)")
        except click.ClickException as error:
            status = _tell(error.format_message())
        except click.Abort:
            status = INTERRUPTED
        sys.exit(status)


@contextmanager
def _errors_in_one_line(*, whole: bool = False) -> Iterator[None]:
    """Whatever goes wrong is told in one line; `whole`: a defect with its traceback, too.  That a reader has gone is told by the status alone."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit):
        raise
    except ReaderGone:
        raise click.exceptions.Exit(READER_GONE) from None
    except BaseException as error:
        if _is_control_c(error):
            raise
        if whole:
            import traceback

            traceback.print_exception(error)
        fail(_in_one_line(error))


def _is_control_c(error: BaseException) -> bool:
    """Else a VM's adapter has let out the KeyboardInterrupt of its guest."""
    is_raised = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return isinstance(error, KeyboardInterrupt) and is_raised and not _remote(error)


def _remote(error: BaseException) -> str:
    """The traceback of an exception that a worker process has sent; "" of another."""
    return str(getattr(error.__cause__, "tb", ""))


def _in_one_line(error: BaseException) -> str:
    match error:
        case OutputLost():
            return f"standard output: {error} (give the command a file with room)"
        case UnicodeEncodeError(encoding=encoding, object=text, start=start):
            return f"standard output: {encoding} has no character {text[start]!a} (set PYTHONIOENCODING=utf-8)"
        case OSError(filename=str(where), strerror=str(what)):
            return f"{where}: {what}"
    import traceback

    told = _remote(error) or "".join(traceback.format_tb(error.__traceback__))
    file, line, function = PLACE.findall(told)[-1]
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{what}, raised at {file}:{line} in {function} (safepoint --traceback COMMAND … shows all of it)"


def fail(message: str) -> NoReturn:
    """Bad input, or no verdict: one line, and exit status 2."""
    raise click.ClickException(message)


def _tell(message: str) -> int:
    click.echo(f"safepoint: {message}", err=True)
    return NO_VERDICT


def unknown(what: str, name: str, known: Iterable[str]) -> NoReturn:
    """A name that does not exist: those that have it as a part, the nearest ones, or all; of many only the first."""
    import difflib

    there = {k.lower(): k for k in known}
    wanted = name.lower()
    near = [k for k in there if wanted and wanted in k][:FEW] or difflib.get_close_matches(wanted, there)
    if near:
        fail(f"no {what} {name!r}; did you mean {' or '.join(there[k] for k in near)}?")
    all_ = [*there.values()]
    if len(all_) <= FEW:
        fail(f"no {what} {name!r}; there are: {', '.join(all_)}")
    fail(
        f"no {what} {name!r}; there are: {', '.join(all_[:SHOWN])}, and {len(all_) - SHOWN} more"
        f" (write a part of a name, such as {all_[-1].partition('-')[0]}, to see those that have it)"
    )


def refuse_ignored(why: str, *names: str) -> None:
    """Refuse each of these options, named as their parameters are, that was given: it would be ignored."""
    context = click.get_current_context()
    for option in context.command.params:
        is_given = context.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
        if option.name in names and is_given:
            fail(f"{option.opts[-1]} would be ignored: {why} (leave it out)")


class Input(click.Path):
    """A file that the command reads whole."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        file = Path(os.fsdecode(super().convert(value, param, ctx)))
        if str(file) == "-" and not file.exists():
            self.fail("-: standard input is not read (give a file)", param, ctx)
        if file.is_char_device():  # /dev/zero has no end
            self.fail(f"{file}: a device, which may have no end (give a file)", param, ctx)
        return file


FILE = Input()


def write(file: Path, content: str) -> None:
    """Write a file of a `Written` option."""
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        fail(f"{file}: {error.strerror} (name a file that can be written)")


class Written(click.Path):
    """A file that the command writes when it is done.  That it cannot be written is said at once, before minutes of work."""

    def __init__(self, inside: str = "") -> None:
        """inside: the name of the file in the directory that the option names."""
        super().__init__(dir_okay=bool(inside), file_okay=not inside, path_type=Path)
        self.inside = inside

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        super().convert(value, param, ctx)
        file = Path(value) / self.inside
        try:
            if not file.exists():
                file.touch()
                file.unlink()
            elif file.is_file():
                file.open("a").close()
        except OSError as error:
            self.fail(f"{file}: {error.strerror} (name a file that can be written)", param, ctx)
        return file
