"""What several commands are given: a policy, sizes; files of a text, scopes, a mutant; and the way to the interpreter."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

import click

from safepoint.cli.console import FILE, fail, refuse_ignored, unknown
from safepoint.cli.entry_points import entry_point
from safepoint.protocol.policies import POLICIES, is_own
from safepoint.protocol.policy import Policy

if TYPE_CHECKING:
    from safepoint.graph.text import Text
    from safepoint.model.scopes import Scope

    Parameter = click.ParamType[int]
    Choice = click.Choice[str]
else:
    Parameter, Choice = click.ParamType, click.Choice  # of older versions not generic

Command = TypeVar("Command", bound=Callable[..., object])


class Size(Parameter):
    """A size in bytes, as 65536, 64K, 1M or 2G."""

    name = "size"
    UNITS: ClassVar[dict[str, int]] = {"": 0, "K": 10, "M": 20, "G": 30}
    LEAST, MOST = 1 << 16, 1 << 32

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d{1,12})([KMG]?)", str(value).upper())
        size = int(found[1]) << self.UNITS[found[2]] if found else 0
        if not self.LEAST <= size <= self.MOST:
            self.fail(f"{value!r} is not a size from 64K to 4G (write, for example, 1M)", param, ctx)
        return size


PROTOCOL = click.option(
    "--protocol",
    "given",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Use this protocol text instead of the built-in one: a whole one, or a variant of one of its files. May be repeated.",
)


class PolicyNamed(Choice):
    """A policy of ours by its name, or FILE:NAME, a user's own."""

    def __init__(self) -> None:
        super().__init__(list(POLICIES))

    def get_metavar(self, *args: Any, **more: Any) -> str | None:
        said = super().get_metavar(*args, **more)
        return said and f"{said.removesuffix(']')}|FILE:NAME]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, Policy):
            return value
        if is_own(str(value)):
            from safepoint.model.own_policies import PolicyError, find_policy

            try:
                return find_policy(str(value))
            except PolicyError as error:
                fail(str(error))
        if value not in POLICIES:
            import difflib

            own = "FILE.py:NAME names one of your own"
            if near := difflib.get_close_matches(str(value).lower(), POLICIES, 1):
                self.fail(f"{value!r} is no policy; did you mean {near[0]}? {own}", param, ctx)
            self.fail(f"{value!r} is not one of {', '.join(map(repr, POLICIES))}; {own}", param, ctx)
        return POLICIES[value]


POLICY = PolicyNamed()


def policy_option(says: str) -> Callable[[Command], Command]:
    """-p of a command that takes one."""
    return click.option("-p", "--policy", type=POLICY, default="folded", show_default=True, help=says)


def policies_option(says: str) -> Callable[[Command], Command]:
    """-p of a command that takes several."""
    return click.option("-p", "--policy", "policies", type=POLICY, multiple=True, help=says)


def refuse_elsewhere(policies: Sequence[Policy], on: str) -> None:
    """A text of a user's own is not on a cluster."""
    from safepoint.protocol.own import OwnPolicy

    for policy in policies:
        if on and isinstance(policy, OwnPolicy) and policy.trigger_digest:
            fail(
                f"-p {policy.name}: the text of its trigger is not on the cluster (leave out --on, or choose a trigger of ours)"
            )


def stack_option(says: str) -> Callable[[Command], Command]:
    return click.option(
        "--stack", type=click.IntRange(16, 1 << 24), metavar="N", default=1 << 16, show_default=True, help=says
    )


HEAP = click.option(
    "--heap", type=Size(), metavar="SIZE", help="Bytes that live objects may take, 64K to 4G.  [default: 64M]"
)


def machine_of(group: str, name: str, instead: str) -> Callable[..., Any]:
    """What an entry point names: a way to run guest programs.  instead: what to do where it cannot be had.

    What it needs may be missing when it is loaded, or not before it is called.
    """
    try:
        machine = entry_point(group, name)
    except ImportError as error:
        cannot_run(error, instead)

    @functools.wraps(machine)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return machine(*args, **options)
        except ImportError as error:
            cannot_run(error, instead)

    return run


def cannot_run(error: ImportError, instead: str) -> NoReturn:
    """There is no interpreter."""
    fail(f"the interpreter cannot run: {error} (pip install llvmlite, or {instead})")


def protocol_text(given: tuple[Path, ...], policy: Policy) -> Text:
    """The built-in text with the policy's trigger, a custom one, or the built-in one with some files replaced, which is said."""
    from safepoint.graph.check import check
    from safepoint.graph.text import ProtocolError
    from safepoint.model.custom import read, scopes_of
    from safepoint.model.environment import left_out

    try:
        text = read(given, policy)
        check(text)
        scopes_of(text)
        missing = left_out(text) if text.instead else {}
    except ProtocolError as error:
        fail(str(error))
    for path, ours in text.instead.items():
        click.echo(f"{path}: read in place of our {ours.name}", err=True)
    for lacking, scopes in missing.items():
        said = f"left out: the text has no {lacking}, which these scopes need: {', '.join(scopes)}"
        click.echo(textwrap.fill(said, 118, subsequent_indent="    ", break_on_hyphens=False), err=True)
    return text


def chosen_scopes(text: Text, policy: Policy, scope: str, threads: int | None) -> list[Scope]:
    """The scopes that `explore` is to explore, at least one."""
    from safepoint.model.custom import THREADS, chosen_of, scopes_of
    from safepoint.model.scopes import not_written_for

    named = scopes_of(text)
    if scope not in (*THREADS, *named):  # the first that are said are those that could be explored
        unknown("scope", scope, (*THREADS, *sorted(named, key=lambda name: not_written_for(named[name], policy) != "")))
    scopes = chosen_of(text, scope, threads, policy.slices)
    if not scopes:
        fail(f"no scope of {scope!r} has {threads} guest threads (leave out --threads, or choose a larger group)")
    if threads not in (None, scopes[0].threads):
        fail(f"scope {scope} has guest threads: {scopes[0].threads} (leave out --threads {threads})")
    for each in scopes:
        if why := not_written_for(each, policy):
            fail(why)
    return scopes


def say_slow(on: str, more: str = "") -> None:
    """Say at once which search explores large scopes, where numpy is missing.  `on`: the workers of a cluster have libraries of their own."""
    from safepoint.model.engines import said_slow

    if not on and (said := said_slow()):
        click.echo(said + more, err=True)


def of_the_interpreter() -> list[str]:
    """The mistakes that are in no line of the text; none where the interpreter cannot run."""
    from safepoint.conform.judge import UnknownTarget
    from safepoint.differential.mistakes import mistakes_of

    try:
        return list(mistakes_of("folded"))
    except UnknownTarget:
        return []


def known_mutant(text: Text, mutant: str) -> None:
    """Refuse a name that the text has not."""
    from safepoint.graph.accesses import find_mutant
    from safepoint.graph.gather import text_of
    from safepoint.graph.text import ProtocolError

    if not mutant:
        refuse_ignored("it is empty", "mutant")
    elif "." in mutant and mutant not in text.mutants:
        try:
            find_mutant(text, mutant)
        except ProtocolError as error:
            fail(str(error))
    elif mutant not in text.mutants:
        if mutant in of_the_interpreter():
            fail(
                f"mutant {mutant!r} is a mistake of the interpreter, which no path of the text shows"
                " (safepoint verify shows it; repeat what that prints: safepoint replay --mutant NAME s:…)"
            )
        if having := [name for name, policy in POLICIES.items() if mutant in text_of(policy).mutants]:
            fail(
                f"no mutant {mutant!r} in this policy's text, but in that of {', '.join(having)} (write: -p {having[0]})"
            )
        unknown("mutant", mutant, text.mutants)
