"""What a user can get wrong: texts, adapters, options, surroundings; each with the one line that says so.  "…" stands for anything."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

COMMAND = (sys.executable, "-c", "from safepoint.cli.entry import main; main()")
"""A process of its own: that of the command."""

WORLD = """\
class Thread:
    go: Trigger
    seen: Word


class Me(Thread):
    pass


def mutator(t: Me) -> None:
    t.seen.load()
    return mutator(t)


def asks() -> None:
    for t in threads():
        t.seen.store(1)
    return asks()
"""
"""A text that is right."""

VM = """\
import os, signal, sys
from safepoint.conform.target import NotOffered
from safepoint.differential.reference import Reference

class Vm(Reference):
    def {method}(self, *args, **more):
        {does}
"""
"""An adapter with one method that is not."""


@dataclass(frozen=True)
class Broken:
    """One mistake: what is written, after `safepoint`; the files beside it; and how the process is run, if it takes one of its own."""

    kind: str
    name: str
    args: tuple[str, ...]
    said: str
    files: dict[str, str | bytes] = field(default_factory=dict)
    around: str = ""

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"


def text(name: str, said: str, content: str | bytes, *more: str) -> Broken:
    return Broken("text", name, ("explore", "--protocol", f"{name}.py", *more), said, {f"{name}.py": content})


def changed(name: str, said: str, old: str, new: str) -> Broken:
    assert WORLD.count(old) == 1
    return text(name, f"{name}.py:{said}", WORLD.replace(old, new))


def adapter(name: str, said: str, content: str) -> Broken:
    module = f"vm_{name}"
    return Broken("adapter", name, ("conform", "--target", f"{module}:Vm"), said, {f"{module}.py": content})


def method(name: str, said: str, of: str, does: str) -> Broken:
    line = f"…was not judged: the adapter of vm_{name}:Vm raised {said} (…vm_{name}.py:7)…"
    return adapter(name, line, VM.format(method=of, does=does))


def option(said: str, *args: str, **files: str | bytes) -> Broken:
    return Broken("option", " ".join(args), args, said, {f"{name}.py": content for name, content in files.items()})


def around(said: str, how: str, *args: str, **files: str | bytes) -> Broken:
    name = " ".join((how, *args))
    return Broken("around", name, args, said, {f"{name}.py": content for name, content in files.items()}, how)


NEITHER = ".py: neither a text of its own, which has a mutator(), nor a variant of a file of ours (write: …)"

TEXTS = [
    text("empty", f"empty{NEITHER}", ""),
    text("other_name", "other_name.py: read in place of our limit_and_table.py, and defines no add, … (write what that file has…)", "def take(t: Me) -> int:\n    return 0\n"),
    text("unclosed", "unclosed.py:1:…: not Python: …", "def mutator(t: Me -> None:\n    return mutator(t)\n"),
    text("latin", "latin.py: cannot be read: 'utf-8' codec can't decode byte 0xff in position 5: …", b"x = '\xff'\n"),
    text("nul", "nul.py:1:…: not Python: source code string cannot contain null bytes", b"x = 1\0\n"),
    text("deep", "deep.py:1:…: not Python: …", f"x = {'(' * 300}1{')' * 300}\n"),
    text("only_threads", "only_threads.py: the text defines no requester, only threads (write: a role, …)", WORLD.partition("def asks")[0]),
    text("no_thread", "no_thread.py:17:9: the text has no class Thread (write instead: class Thread: with its words)", WORLD.replace("Thread", "Task")),
    changed("two_accesses", "17:22: a shared access inside an operand (write instead: …)", "store(1)", "store(t.go.load())"),
    changed("unknown_name", "17:22: unknown name NOTHING (write instead: …)", "store(1)", "store(NOTHING)"),
    changed("unknown_word", "11:5: Me declares no word sen (write instead: …)", "seen.load", "sen.load"),
    changed("unknown_command", "11:5: unknown command t.seen.peek (write instead: …)", "seen.load", "seen.peek"),
    changed("half_a_number", "17:22: not an expression of the protocol language (write instead: …)", "store(1)", "store(1.5)"),
    changed("lambda", "11:9: not an expression of the protocol language (write instead: …)", "t.seen.load()\n", "x = lambda: 0\n"),
    text("statement", "statement.py:19:1: not a declaration of the protocol language (write instead: …)", f"{WORLD}print(1)\n"),
    text("constant", "constant.py:19:5: not a constant (write instead: …)", f"{WORLD}X = 1.5\n"),
    changed("mutant_alone", '17:12: a mutant needs a name and its rule (write instead: mutant("name", breaks="RULE-ID"))',
            "t.seen.store(1)", 'if mutant("x"): t.seen.store(1)'),
]  # fmt: skip

ADAPTERS = [
    adapter("no_class", "target 'vm_no_class:Vm' cannot be imported: …'Vm' (write an importable module:Class)", ""),
    adapter("no_import", "target 'vm_no_import:Vm' cannot be imported: No module named 'nowhere' (install nowhere, or set PYTHONPATH …)", "import nowhere\n"),
    adapter("no_python", "target 'vm_no_python:Vm' cannot be imported: invalid syntax (vm_no_python.py, line 1) (…)", "class Vm(:\n"),
    adapter("at_import", "target 'vm_at_import:Vm' cannot be imported: ZeroDivisionError: division by zero (…vm_at_import.py:1) (…)", "1 / 0\n"),
    adapter("exits_at_import", "target 'vm_exits_at_import:Vm' cannot be imported: SystemExit: 0 (…vm_exits_at_import.py:2) (…)", "import sys\nsys.exit(0)\n"),
    adapter("no_target", "target 'vm_no_target:Vm' is not a safepoint.conform.target.Target (derive the class from it)", "class Vm: pass\n"),
    adapter("half", "target 'vm_half:Vm' lacks … (write these methods: docs/judge-your-own.md)",
            "from safepoint.conform.target import Target\nclass Vm(Target): pass\n"),
    adapter("arguments", "target 'vm_arguments:Vm' cannot be made: …'port' (…) (the class must need no arguments)",
            VM.format(method="__init__", does="self.open(*args)").replace("*args, **more", "port")),
    adapter("raises_when_made", "target 'vm_raises_when_made:Vm' cannot be made: ValueError: no VM (…vm_raises_when_made.py:7) (…)",
            VM.format(method="__init__", does="raise ValueError('no VM')")),
    adapter("no_bound", "target 'vm_no_bound:Vm' has the bound None (write Bound(frames=1, back_edges=1))", f"{VM.partition('    def')[0]}    bound = None\n"),
    adapter("no_set", "target 'vm_no_set:Vm' offers 'STOP' (write frozenset({STOP, INTERRUPT}))", f"{VM.partition('    def')[0]}    offers = 'STOP'\n"),
    adapter("no_step", "no request was judged: vm_no_step:Vm offers too little (write Target.offers)", VM.format(method="step", does="return super().step(1 << 40)")),
    method("raises_in_load", "RuntimeError: two lines", "load", "raise RuntimeError('two\\nlines')"),
    method("gone", "EOFError: the VM has gone", "start", "raise EOFError('the VM has gone')"),
    method("refused", "ConnectionRefusedError: [Errno 111] refused", "post", "raise ConnectionRefusedError(111, 'refused')"),
    method("exits", "SystemExit: 0", "step", "sys.exit(0)"),
    adapter("leaks_an_interrupt", "runs-as-python-does was not judged: the adapter of vm_leaks_an_interrupt:Vm raised KeyboardInterrupt: (…vm_leaks_an_interrupt.py:7); nor were 19 others",
            VM.format(method="observe", does="signal.signal(signal.SIGINT, lambda *_: None); raise KeyboardInterrupt")),
    adapter("recursion", "…the adapter of vm_recursion:Vm raised RecursionError: maximum recursion depth exceeded… (…vm_recursion.py:7)…",
            VM.format(method="observe", does="return self.observe()").replace(", *args, **more", "")),  # CPython 3.13.0 has no end with these
    adapter("dies", "runs-as-python-does was not judged: the process of vm_dies:Vm ended in the middle, by exit status 0; nor were 19 others", VM.format(method="load", does="os._exit(0)")),
    adapter("nothing", "no request was judged: vm_nothing:Vm offers too little (write Target.offers)", VM.format(method="load", does="raise NotOffered('load')")),
]  # fmt: skip

OPTIONS = [
    *(option("target 'folded' does not offer mutant stop-without-fence: no procedure that it compiles has it (leave out --mutant)",
             "replay", "--mutant", "stop-without-fence", string) for string in ("s:prints|STOP@sc:6>1", "s:fib@3STOP")),
    option("--on garbage: no address of a scheduler (write tcp://HOST:PORT, as dask scheduler prints it)",
           "mutate", "--at", "awaken", "-p", "folded", "--on", "garbage"),
    option("Missing command (see: safepoint --help)"),
    option("No such command 'nope' (see: safepoint --help)", "nope"),
    option("No such option '--nope'… (see: safepoint explore --help)", "explore", "--nope"),
    option("no mutant 'nope'; there are: …, poison-before-post, …", "explore", "--mutant", "nope"),
    option("no mutant 'no-rechek'; did you mean no-recheck…", "explore", "--mutant", "no-rechek"),
    option("no scope 'nope'; there are: tiny, small, nightly, interrupt-1, …", "explore", "--scope", "nope"),
    option("no mutant 'nmae'; there are: post-waits-its-turn, …, and … more (write a part of a name, such as reused, to see those that have it)",
           "explore", "--mutant", "nmae"),
    option("no mutant 'second-word-late' in this policy's text, but in that of folded (write: -p folded)", "explore", "-p", "dart", "--mutant", "second-word-late"),
    option("no mutant 'handshake'; did you mean handshake-unchecked or … or handshake-not-awaited or birth-drops-handshake?", "explore", "--mutant", "handshake"),
    option("no scope 'nmae'; there are: tiny, small, nightly, interrupt-1, …, and … more (…)", "explore", "--scope", "nmae"),
    option("no scope 'Interupt-1'; did you mean interrupt-1 …", "explore", "--scope", "Interupt-1"),
    option("no scope ''; there are: tiny, small, nightly, …", "explore", "--scope", ""),
    option("--mutant would be ignored: it is empty (leave it out)", "explore", "--mutant", ""),
    option("Invalid value for '-p' / '--policy': 'nope' is not one of 'folded', 'dart', 'cpython', 'pypy', …; FILE.py:NAME names one of your own (see: …)", "explore", "-p", "nope"),
    option("no scope of 'tiny' has 3 guest threads (leave out --threads, or choose a larger group)", "explore", "--threads", "3"),
    option("scope interrupt-1 has guest threads: 1 (leave out --threads 2)", "explore", "--scope", "interrupt-1", "--threads", "2"),
    option("Invalid value for '--threads': 0 is not in the range 1<=x<=3 (see: safepoint explore --help)", "explore", "--threads", "0"),
    option("Invalid value for '-p' / '--policy': 'patchd' is no policy; did you mean patched? FILE.py:NAME names one of your own (see: …)", "explore", "-p", "patchd"),
    option("Invalid value for '-p' / '--policy': 'Patched' is no policy; did you mean patched? FILE.py:NAME names one of your own (see: …)", "distance", "f.py", "-p", "Patched"),
    option("scope loops-1: the text of policy folded is not written for loops (choose a scope without; …; or write: -p patched)", "explore", "--scope", "loops-1"),
    option("scope limit-1: the text of policy dart is not written for limit (choose a scope without; …; or write: -p folded)", "explore", "-p", "dart", "--scope", "limit-1"),
    option("interrupt-1 sc: not explored: more than 100 states…", "explore", "--max-states", "100"),
    option("--promela takes one scope, not … (name one: --scope …)", "explore", "--promela", "x.pml"),
    option("--promela takes one memory model, not 2 (name one: --memory sc)", "explore", "--promela", "x.pml", "--scope", "stop-1", "--mutant", "no-recheck"),
    option("--policy would be ignored: own.py brings its own check sites and trigger words (leave it out)",
           "explore", "--protocol", "own.py", "-p", "dart", own=WORLD),
    option("nowhere.py: cannot be read: …", "explore", "--protocol", "nowhere.py"),
    option("Invalid value for '--protocol': File '.' is a directory (see: safepoint explore --help)", "explore", "--protocol", "."),
    option("Invalid value for '--svg': no/path.svg: No such file or directory (name a file that can be written) (see: …)", "explore", "--svg", "no/path.svg"),
    option("Invalid value for '--json': no/x: No such file or directory (name a file that can be written) (see: …)", "verify", "--json", "no/x"),
    option("Invalid value for '--report': no/report.html: No such file or directory (name a file that can be written) (see: …)", "verify", "--report", "no"),
    option("Invalid value for '--report': Directory 'file.py' is a file (see: safepoint verify --help)", "verify", "--report", "file.py", file=""),
    option("no target 'nope' (registered: …; write one of these, or module:Class)", "verify", "--target", "nope"),
    option("no target 'nope' (registered: …; write one of these, or module:Class)", "conform", "--target", "nope"),
    option("target 'no.where:Vm' cannot be imported: No module named 'no' (install no, or set PYTHONPATH to the directory that holds it: PYTHONPATH=. if you are there)",
           "conform", "--target", "no.where:Vm"),
    option("target 'safepoint.no.where:Vm' cannot be imported: No module named 'safepoint.no' (install safepoint, or set PYTHONPATH …)",
           "conform", "--target", "safepoint.no.where:Vm"),
    option("target 'own.py:Vm' is given by a file's name, not a module's (write own:Vm, with PYTHONPATH=.)", "conform", "--target", "own.py:Vm", own=WORLD),
    option("target 'a/b/own:Vm' is given by a file's name, not a module's (write own:Vm, with PYTHONPATH=a/b)", "conform", "--target", "a/b/own:Vm"),
    option("Invalid value for '[TRACE]': -: standard input is not read (give a file) (see: safepoint accept --help)", "accept", "-"),
    option("Invalid value for 'FILE': -: standard input is not read (give a file) (see: safepoint run --help)", "run", "-"),
    option("Missing option '--target' (see: safepoint conform --help)", "conform"),
    option("no rule 'NOPE-NOPE-NOPE'; there are: POST-BEFORE-POISON, …", "rules", "NOPE-NOPE-NOPE"),
    option("no rule 'post-before-poisn'; did you mean POST-BEFORE-POISON …", "rules", "post-before-poisn"),
    option("nothing to mutate at 'nope' (write a procedure of the text, …)", "mutate", "-p", "pypy", "--at", "nope"),
    option("nothing to mutate at 'words.py:1' (leave out --quick, which takes a sample; or write a procedure of the text, …)",
           "mutate", "-p", "pypy", "--quick", "--at", "words.py:1"),
    option("Invalid value for '--like': Directory 'nowhere' does not exist (see: safepoint mutate --help)", "mutate", "--like", "nowhere"),
    option("--quick: a sample is not thorough (leave out --quick, or --thorough)", "mutate", "--quick", "--thorough"),
    option("Invalid value for '[SUBJECT]...': 'nope' is not one of 'scopes', 'schedules', 'fuzz', 'soak', 'mutation' (see: safepoint campaign --help)", "campaign", "nope"),
    option("Invalid value for '--seeds': 0 is not in the range x>=1 (see: safepoint campaign --help)", "campaign", "--seeds", "0"),
    option("Invalid value for '--keep': Directory 'file.py' is a file (see: safepoint campaign --help)", "campaign", "--keep", "file.py", file=""),
    option("'x' is not a replay string (m:… is a path of the model, s:… a schedule, f:… a fuzzed program: copy it from a failure, whole)", "replay", "x"),
    option("'m:x' is not a path (it looks like m:both-1/no-recheck/ab0a~12345678: copy it whole)", "replay", "m:x"),
    option("the path speaks of scope 'nope'; there are: …", "replay", "m:nope//a~00000000"),
    option("scope limit-1: the text of policy dart is not written for limit (…)", "replay", "m:limit-1,dart,sc//a~00000000"),
    option("the path's steps have other names now: the string is damaged, or the protocol's text has changed (copy it whole, or explore again)", "replay", "m:interrupt-1//a~00000000"),
    option("--target would be ignored: a path of the model names its policy and its mutant, and has no target (leave it out)", "replay", "m:x", "--target", "folded"),
    option("--protocol would be ignored: a schedule is repeated on machines, which have their protocol (leave it out)",
           "replay", "s:fib@3STOP", "--protocol", "own.py", own=WORLD),
    option("'s:x' is no schedule (it looks like s:loops@17STOP+3INTERRUPT: copy it whole)", "replay", "s:x"),
    option("no program 'nope' (write the name of one of tests/programs, or a path)", "replay", "s:nope@3STOP"),
    option("no mutant 'nope'…", "replay", "s:fib@3STOP", "--mutant", "nope"),
    option("fib has … steps, numbered from 0 (step 99999 is not one)", "replay", "s:fib@99999STOP"),
    option("contended: before step 10 there is no guest thread 1 (choose another step, or one of these: 0)", "replay", "s:contended@10INTERRUPT/1"),
    option("fib: what follows the post has … shared accesses, numbered from 0 (999 is not one)", "replay", "s:fib@3STOP+999INTERRUPT"),
    option("Missing argument 'FILE' (see: safepoint run --help)", "run"),
    option("nowhere.py: No such file or directory (write the path of a guest program)", "run", "nowhere.py"),
    option("Invalid value for '--heap': '1' is not a size from 64K to 4G (write, for example, 1M) (see: …)", "run", "--heap", "1", "x.py"),
    option("Invalid value for '--stack': 1 is not in the range 16<=x<=16777216 (see: safepoint run --help)", "run", "--stack", "1", "x.py"),
    option("the reference machine has no collector (leave out --heap, --stats and --stress, or use --machine vm)",
           "run", "--machine", "reference", "--stats", "f.py", f="x = 1\n"),
    option("f.py:2:5: … (write instead: …)", "run", "f.py", f="x = 1\ny = {1: 2}\n"),
    option("… (release what was acquired, on every way out: with lock)", "run", "--machine", "reference", "f.py",
           f="from threading import Lock\nlock = Lock()\nlock.acquire()\nlock.acquire()\n"),
    option("Missing argument 'FILE' (see: safepoint distance --help)", "distance"),
    option("nowhere.py: No such file or directory (write the path of a guest program)", "distance", "nowhere.py"),
    option("f.py:2:5: … (write instead: …)", "distance", "f.py", f="x = 1\ny = {1: 2}\n"),
    option("Invalid value for '-p' / '--policy': 'nope' is not one of 'folded', 'dart', 'cpython', 'pypy', …; FILE.py:NAME names one of your own (see: …)", "distance", "f.py", "-p", "nope"),
    option("Invalid value for '--stack': 1 is not in the range 16<=x<=16777216 (see: safepoint distance --help)", "distance", "f.py", "--stack", "1"),
    option("--stack would be ignored: --json says what each frame adds, whatever the stack (leave it out)",
           "distance", "f.py", "--json", "--stack", "300", f="x = 1\n"),
    option("--mutant would be ignored: it is empty (leave it out)", "distance", "f.py", "--mutant", "", f="x = 1\n"),
]  # fmt: skip

FULL = "standard output: No space left on device (give the command a file with room)"
CLOSED = "standard output: is closed (give the command a file, or a pipe)"
ASCII = "standard output: ascii has no character '\\xe9' (set PYTHONIOENCODING=utf-8)"
PRINTS = "print('caf\N{LATIN SMALL LETTER E WITH ACUTE}')\n"

AROUND = [
    *(around(FULL, "full", *command, f="print(1)\n") for command in (
        ("--help",), ("--version",), ("rules",), ("rules", "--json"), ("explore", "--scope", "interrupt-1"), ("run", "f.py"),
        ("explore", "--scope", "interrupt-1", "--json"), ("run", "--machine", "reference", "f.py"), ("replay", "s:fib@3STOP"))),
    *(around(CLOSED, "closed", *command, f="print(1)\n") for command in (("--help",), ("rules",), ("run", "f.py"))),
    *(around(ASCII, "ascii", *command, "f.py", f=PRINTS) for command in (("run",), ("run", "--machine", "reference"))),
    around("/dev/full: No space left on device (name a file that can be written)",
           "alone", "explore", "--mutant", "no-recheck", "--scope", "stop-1", "--svg", "/dev/full"),
    *(around("Invalid value for …: /dev/zero: a device, which may have no end (give a file) …", "alone", *command, "/dev/zero") for command in (
        ("run",), ("distance",), ("explore", "--protocol"), ("accept",))),
    around("no numpy here: No module named 'numpy' (pip install numpy, or: --engine python)",
           "alone", "explore", "--engine", "numpy", numpy="raise ModuleNotFoundError(\"No module named 'numpy'\", name='numpy')\n"),
    around("the interpreter cannot run: No module named 'llvmlite' (pip install llvmlite, or use --machine reference)",
           "alone", "run", "f.py", f="print(1)\n", llvmlite="raise ModuleNotFoundError(\"No module named 'llvmlite'\", name='llvmlite')\n"),
]  # fmt: skip

BROKEN = [*TEXTS, *ADAPTERS, *OPTIONS, *AROUND]
