"""The `safepoint` command: a group, whose commands are in modules of their own.

Every command imports what it needs when it runs: `--help` must be quick.
"""

from __future__ import annotations

import click

from safepoint.cli.console import Commands

ALONE = ("policies", "orders", "mutate", "campaign", "repl", "profile", "distance", "emit", "bench", "verify")
"""The commands that have a module of their name."""
IN_MODULES = {
    "protocol": ("explore", "replay", "rules"),
    "guest": ("run", "conform"),
    "trace": ("accept",),
    **{name: (name,) for name in ALONE},
}
"""The commands, by the module that has them: each process imports that of its command."""


@click.group(
    cls=Commands,
    elsewhere={name: f"safepoint.cli.{module}" for module, names in IN_MODULES.items() for name in names},
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="safepoint")
@click.option("--traceback", "whole", is_flag=True, help="Of an error that no command expects, show the traceback too.")
def cli(*, whole: bool) -> None:
    """Safepoints for virtual machines: an executable specification, an interpreter, and a judge for other VMs.

    Exit status: 0 holds, 1 a claim is refuted (or the guest program raised), 2 bad usage or input, or no verdict,
    130 Control-C, 141 the reader of a pipe has gone.
    """
