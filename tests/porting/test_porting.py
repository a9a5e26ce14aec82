"""docs/porting.md: what it claims of C, of compilers and of the protocol in worlds of its own is tried here."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.text import Text
from safepoint.model.custom import read
from safepoint.model.mutants import attempt
from safepoint.model.scopes import SCOPES, Scope
from safepoint.model.system import Model
from safepoint.protocol.rules import RULES
from tests import cross
from tests.porting.families import text_of

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "porting.md").read_text(encoding="utf-8")
CC = shutil.which("cc")
needs_cc = pytest.mark.skipif(
    CC is None, reason="no C compiler: what docs/porting.md says of C is not tried (install cc)"
)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="futex, membarrier and signals as Linux has them")
needs_llvm = pytest.mark.skipif(
    find_spec("llvmlite") is None, reason="what LLVM makes of a load or a swap is not tried (install llvmlite)"
)
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread")


def built(name: str, directory: Path, *options: str) -> Path:
    out = directory / name
    subprocess.run([str(CC), *FLAGS, *options, str(HERE / f"{name}.c"), "-o", str(out)], check=True, timeout=60)
    return out


def output(*command: str | Path) -> str:
    return subprocess.run([str(c) for c in command], check=True, timeout=60, capture_output=True, text=True).stdout


def rows_of(column: str) -> dict[str, list[str]]:
    """The rows of the page's table with this column: what stands first, to the first word of each further cell."""
    (body,) = re.findall(
        rf"^\|[^\n]*\| {re.escape(column)} \|[^\n]*\n\|[-|]+\n(.*?)^(?!\|)", PAGE, re.MULTILINE | re.DOTALL
    )
    cells = [
        [re.sub(r"^[*`]*([\w-]+).*", r"\1", cell) for cell in row.strip("| ").split(" | ")] for row in body.splitlines()
    ]
    return {first: others for first, *others in cells}


# -- the check of a frame push


@needs_cc
def test_forms_of_the_check_of_a_frame(tmp_path: Path) -> None:
    said = {
        name: tuple(answer == "yes" for answer in answers)
        for name, *answers in re.findall(
            r"^(\w+) overruns (\w+), refused (\w+), unseen (\w+)$", output(built("fits", tmp_path)), re.MULTILINE
        )
    }
    assert {name: (row[1], row[2]) for name, row in rows_of("the frame fits if").items()} == {
        name: tuple("yes" if wrong else "no" for wrong in (overruns, unseen))
        for name, (overruns, _, unseen) in said.items()
    }
    right = (False, False, False)
    assert {name for name, wrong in said.items() if wrong == right} == {
        "down_right",
        "up_right",
        "down_small",
        "up_small",
    }
    assert said["down_wraps"] == said["up_wraps"] == (True, False, True)
    assert said["down_cured"] == said["up_cured"] == (False, False, True)  # it fits exactly, and the poison passes
    assert said["down_signed"] == (True, True, True)


def test_the_page_shows_each_form_as_it_is_tried() -> None:
    source = (HERE / "fits.c").read_text(encoding="utf-8")
    forms = re.findall(r"^static int (\w+)\(.*?\) \{ return (.*?); \}", source, re.MULTILINE)
    assert len(forms) == 9
    for name, expression in forms:
        bare = expression.replace("(word)", "").replace("(int8_t)", "(signed) ")
        assert f"| `{name}` | `{bare}` |" in PAGE, (name, bare)


# -- what the compiler does to the load


def in_loops(disassembly: str, function: str) -> list[str]:
    """The instructions between a jump backward and where it leads."""
    body = disassembly.partition(f"<{function}>:")[2].partition("\n\n")[0]
    code = [(int(at, 16), what) for at, what in re.findall(r"^ *([0-9a-f]+):\s+(.*)$", body, re.MULTILINE)]
    jumps = [
        (at, int(to[1], 16)) for at, what in code if (to := re.match(r"(?:j|b\.|cb|tb)\S*\s.*?\b([0-9a-f]+) <", what))
    ]
    assert jumps
    return [what for at, what in code if any(to <= at <= source for source, to in jumps if to < source)]


def loads(instructions: list[str]) -> list[str]:
    """Those that read memory, of x86-64 and of AArch64."""
    return [i for i in instructions if ("(" in i and not i.startswith("nop")) or re.match(r"ld\w*r?\s", i)]


@needs_cc
@pytest.mark.skipif(
    shutil.which("objdump") is None, reason="no objdump: what the compiler hoists is not looked at (install binutils)"
)
@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="reads the code of x86-64 and AArch64")
@pytest.mark.parametrize(
    ("function", "kept"),
    [("loop_plain", False), ("loop_cached", False), ("loop_volatile", True), ("loop_relaxed", True)],
)
@pytest.mark.parametrize("level", ["-O2", "-O3"])
def test_the_load_of_the_trigger_word_stays_in_the_loop(tmp_path: Path, function: str, kept: bool, level: str) -> None:
    code = output("objdump", "-d", "--no-show-raw-insn", built("hoist", tmp_path, "-c", level))
    assert bool(loads(in_loops(code, function))) == kept


LOOP = """
define i64 @f(ptr %w, i64 %n) {{
entry:
 br label %head
head:
 %i = phi i64 [0, %entry], [%next, %tail]
 %s = phi i64 [0, %entry], [%sum, %tail]
 %v = load {} align 8
 %c = icmp ne i64 %v, 0
 br i1 %c, label %leaves, label %tail
tail:
 %next = add i64 %i, 1
 %m = mul i64 %s, %i
 %sum = xor i64 %m, %i
 %more = icmp slt i64 %next, %n
 br i1 %more, label %head, label %done
done:
 ret i64 %sum
leaves:
 ret i64 -1
}}
"""
KINDS = {"plain": "i64, ptr %w,", "unordered": "atomic i64, ptr %w unordered,", "volatile": "volatile i64, ptr %w,",
         "monotonic": "atomic i64, ptr %w monotonic,", "acquire": "atomic i64, ptr %w acquire,"}  # fmt: skip


def test_the_page_says_which_loads_stay() -> None:
    said = {kind.replace("relaxed", "monotonic"): row[2] == "yes" for kind, row in rows_of("in the loop?").items()}
    assert said == {kind: kind not in ("plain", "unordered") for kind in KINDS}


@needs_llvm
@pytest.mark.parametrize(("kind", "kept"), [(kind, kind not in ("plain", "unordered")) for kind in KINDS])
def test_what_llvm_hoists(kind: str, kept: bool) -> None:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    machine = llvm.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine(opt=2)
    module = llvm.parse_assembly(LOOP.format(KINDS[kind]))
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    entry, *rest = module.get_function("f").blocks
    holds = ["load" in {i.opcode for i in block.instructions} for block in (entry, *rest)]
    assert holds == [not kept, *(kept and n == 0 for n in range(len(rest)))]


SWAP = "define i64 @swap(ptr %p, i64 %v) {\n %r = atomicrmw xchg ptr %p, i64 %v seq_cst\n ret i64 %r\n}\n"


@needs_llvm
@pytest.mark.parametrize(
    ("features", "made"), [("", ["ldaxr", "stlxr"]), ("+lse", ["swpal"]), ("+outline-atomics", ["bl"])]
)
def test_what_a_swap_is_on_aarch64(features: str, made: list[str]) -> None:
    code = cross.assembly("aarch64-unknown-linux-gnu", SWAP, features=features)
    assert re.findall(r"^\t(ldaxr|stlxr|swpal|dmb|bl)\b", code, re.MULTILINE) == made
    assert ("__aarch64_swp8_acq_rel" in code) == (made == ["bl"])


# -- signals, fork, membarrier


@needs_cc
@on_linux
def test_a_post_from_a_handler(tmp_path: Path) -> None:
    assert output(built("handler", tmp_path)) == (
        "lock in the handler: would wait for ever\npending 4, poisoned 1, errno kept 1\n"
    )


@needs_cc
@on_linux
def test_a_lock_that_another_thread_holds_at_the_fork(tmp_path: Path) -> None:
    program = built("fork", tmp_path)
    assert "held by a thread that it has not" in output(program)
    assert output(program, "handlers") == "in the child the lock is free\n"


@needs_cc
@on_linux
def test_membarrier_wants_to_be_registered(tmp_path: Path) -> None:
    before, registered, after = map(int, re.findall(r"-?\d+", output(built("membarrier", tmp_path))))
    if registered:
        pytest.skip("membarrier: this kernel, or its sandbox, has none")
    assert (before, after) == (-1, 0)


@needs_cc
@pytest.mark.skipif(
    platform.machine() != "x86_64" or shutil.which("objdump") is None, reason="reads x86-64 code by objdump"
)
def test_the_return_without_a_fence_is_a_store_and_a_load(tmp_path: Path) -> None:
    code = output("objdump", "-d", "--no-show-raw-insn", built("membarrier", tmp_path))
    names = {
        function: re.findall(r":\s+(\w+)", code.partition(f"<{function}>:")[2].partition("ret")[0])
        for function in ("reenter", "reenter_fenced")
    }
    assert names["reenter"] == ["movl", "mov"]
    assert "xchg" in names["reenter_fenced"]


@pytest.mark.rule("REQUESTER-IS-A-BARRIER")
@pytest.mark.parametrize(
    ("mutant", "features", "role", "breaks"),
    [
        ("reenter-unfenced", (), "coordinator", ""),
        ("reenter-unfenced", (), "handshaker", ""),
        ("no-recheck", (), "coordinator", "world-stopped"),
        ("handshake-not-awaited", (), "handshaker", "handshake-alone"),
        ("block-unfenced", ("blocking",), "interrupter", "sleeper-is-woken"),
        ("test-before-take", (), "interrupter", "pending-is-poisoned"),
        ("reused-unfenced", ("births", "records"), "finder", "posts-reach-their-thread"),
    ],
)
def test_what_membarrier_lets_the_other_side_drop(
    mutant: str, features: tuple[str, ...], role: str, breaks: str
) -> None:
    scope = Scope("alone", "tiny", 1, (role,), "", ("membarrier", *features))
    assert not attempt(Model(Text(), scope, memory="tso")).broken
    model = Model(Text(), scope, mutant, memory="tso")
    assert model.mutated
    assert (attempt(model).broken or "") == breaks
    said = [row[0] for row in rows_of("with membarrier").values() if row[1] == mutant]
    assert said == ["stays" if breaks else "falls"]


@pytest.mark.rule("POST-NEVER-WAITS")
@pytest.mark.parametrize("feature", ["collect", "nesting", "blocking", "births", "limit"])
def test_a_handler_on_a_thread_that_holds_the_lock_sleeps_ends_or_grows(feature: str) -> None:
    scope = Scope("handled", "tiny", 1, ("signal_handler",), "", (feature,))
    assert not attempt(Model(Text(), scope)).broken
    assert attempt(Model(Text(), scope, "post-waits-its-turn")).broken


# -- texts of its own


@pytest.mark.parametrize(
    ("name", "mutant", "breaks"),
    [
        ("fork_child", "forks-anywhere", "heap-is-whole"),
        ("fork_child", "forks-under-the-lock", "heap-is-whole"),
        ("fork_child", "keeps-the-stop", "no-deadlock"),
        ("fork_child", "keeps-the-others", "no-deadlock"),
        ("thread_list", "listed-late", "frame-stands-still"),
        ("thread_list", "waits-as-running", "no-deadlock"),
        ("thread_list", "frees-without-the-lock", "record-is-there"),
    ],
)
def test_texts_of_what_the_protocol_leaves_to_a_vm(name: str, mutant: str, breaks: str) -> None:
    file = str(HERE / f"{name}.py")
    done = CliRunner().invoke(cli, ["explore", "--protocol", file, "--scope", "small"])
    assert (done.exit_code, "vacuous" in done.output) == (0, False), done.output
    done = CliRunner().invoke(cli, ["explore", "--protocol", file, "--mutant", mutant])
    assert done.exit_code == 1
    assert f"\n{breaks}: " in done.output
    assert f"`safepoint explore --protocol tests/porting/{name}.py --mutant {mutant}`" in PAGE


# -- what the page names


def test_the_page_names_rules_mutants_and_scopes_that_exist() -> None:
    assert set(re.findall(r"\b[A-Z]+(?:-[A-Z]+){1,3}\b", PAGE)) <= set(RULES)
    commands = re.findall(r"`safepoint explore ([^`]*)`", PAGE)
    assert commands
    for command in commands:
        own = re.search(r"--protocol (\S+)", command)
        mutant, scope = (re.search(rf"--{what} ([\w-]+)", command) for what in ("mutant", "scope"))
        text = read((HERE.parents[1] / own[1],)) if own else None
        policy = re.search(r"-p (\w+)", command)
        if mutant:
            assert mutant[1] in (text or text_of(policy[1] if policy else "folded")).mutants, command
        if scope and not own:
            assert scope[1] in SCOPES
