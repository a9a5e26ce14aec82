"""How many instructions a check of the header takes on x86-64: counted in what the C compiler makes of it.

`python -m tests.emit.instructions` writes the row of docs/adopt.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from safepoint.emit.header import header
from safepoint.emit.title import no_header
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Policy
from tests.emit.building import CC, HOOKS, ROOT, compiled

PAGE = ROOT / "docs" / "adopt.md"
ROW = re.compile(r"^\| instructions of a check.*$", re.MULTILINE)
COMPILER = re.compile(r"(?<=as )\S+ [\d.]+(?= makes them of the header with -O2)")
on_x86 = pytest.mark.skipif(
    os.uname().machine != "x86_64" or shutil.which("objdump") is None,
    reason="not x86-64, or no objdump: the instructions of the header are not looked at",
)
FUNCTIONS = {
    "push": "push(struct sp_thread *t, uintptr_t end) { return sp_frame_push(t, end); }",
    "edge": "edge(struct sp_thread *t) { return sp_back_edge(t%s); }",
    "compares": "compares(struct sp_thread *t, uintptr_t end) { return sp_decide_push(t, end); }",
    "elsewhere": "elsewhere(struct sp_thread *t) { return sp_%s(t); }",
}
GO = 2
"""Instructions with which such a function returns that all is well."""
BRANCH = re.compile(r"j[a-z]+ ([0-9a-f]+) ")
Listing = dict[int, str]
"""Address -> instruction, in order."""


def probe(policy: Policy, directory: Path, optimize: str = "-O2") -> dict[str, Listing]:
    """The functions of a policy's header, each alone in one of ours."""
    source, parts = HOOKS, {"edge": ", 0" if policy.name == "folded" else "", "elsewhere": policy.elsewhere}
    for name, function in FUNCTIONS.items():
        if name != "elsewhere" or policy.elsewhere:
            whole = function.replace("%s", parts.get(name, ""))
            source += f"enum sp_outcome {whole.partition(' {')[0]};\nenum sp_outcome {whole}\n"
    return disassembled(compiled(directory, header(policy), source, optimize))


def disassembled(file: Path) -> dict[str, Listing]:
    """Function to its instructions, without those that do nothing."""
    command = ["objdump", "-d", "--no-show-raw-insn", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    found: dict[str, Listing] = {}
    for name, body in re.findall(r"<(\w+)>:\n(.*?)(?:\n\n|\Z)", said, re.DOTALL):
        lines = (line.split("\t", 1) for line in body.splitlines() if "\t" in line)
        found[name] = {int(at.strip(" :"), 16): " ".join(said.split()) for at, said in lines}
    return {
        name: {at: i for at, i in each.items() if not i.startswith(("endbr64", "nop"))} for name, each in found.items()
    }


def ways(listing: Listing) -> list[int]:
    """Instructions from a function's beginning to its return, by each way without a loop that leaves it nowhere else: the shortest first."""
    following = dict(zip(listing, [*list(listing)[1:], -1], strict=True))
    found, reached = [], [next(iter(listing))]
    for length in range(1, len(listing) + 1):
        further: list[int] = []
        for at in reached:
            instruction = listing.get(at, "call")
            if instruction.startswith("ret"):
                found.append(length)
                continue
            branch = BRANCH.match(instruction)
            if branch and int(branch[1], 16) != following[at]:  # else it leads to another function: that is not linked
                further.append(int(branch[1], 16))
            if not instruction.startswith(("jmp", "call")):
                further.append(following[at])
        reached = further
    return found


def counted(policy: Policy, directory: Path) -> dict[str, int]:
    """Of the check of a frame push, of a back-edge and of a return, if there is one, when nothing is asked.

    A comparison with the stack limit counts where it is the check; one beside it is the VM's own, as is that of an allocation.
    """
    found = probe(policy, directory)
    beside = "return sp_decide_push(t, end);" in body_of(header(policy), "sp_frame_push")
    push = ways(found["push"])[0] - (ways(found["compares"])[0] if beside else GO)
    sites = {"push": push, "edge": ways(found["edge"])[0] - GO}
    return {**sites, "return": ways(found["elsewhere"])[0] - GO} if policy.elsewhere == "return" else sites


def body_of(code: str, function: str) -> str:
    """The text of a function of the header."""
    (found,) = re.findall(rf"^[^\n;]*\b{function}\([^;]*?\)\n\{{.*?^\}}$", code, re.DOTALL | re.MULTILINE)
    return str(found)


def compiler() -> str:
    """Its name and version."""
    said = subprocess.run([str(CC), "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    name = "clang" if "clang" in said else "gcc"
    version = re.search(r"\d+\.\d+\.\d+", said)
    return f"{name} {version[0] if version else '?'}"


def row() -> str:
    """As docs/adopt.md has it."""
    cells = []
    for policy in POLICIES.values():
        if not no_header(policy):
            with tempfile.TemporaryDirectory() as directory:
                cells.append(" / ".join(map(str, counted(policy, Path(directory)).values())))
    return f"| instructions of a check: frame push / back-edge / return | {' | '.join(cells)} |"


if __name__ == "__main__":
    page = ROW.sub(lambda _: row(), PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(COMPILER.sub(lambda _: compiler(), page), encoding="utf-8")
