"""`-p FILE:NAME`: what is refused, and how that reads; what each command does with a policy of a user's own."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner, Result

from safepoint.cli.main import cli
from safepoint.protocol import TRIGGERS
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import SITES, Bound, Policy

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_policy"
GCD = str(ROOT / "tests" / "programs" / "gcd.py")
LANTERN, TICKER = "lantern.py:LANTERN", "lantern.py:SLOW_TICKER"
FIELDS = {
    "name": '"mine"',
    "title": '"the stack limit"',
    "trigger": '"limit"',
    "declared": "Bound(frames=1, back_edges=1)",
    "words": '("limit",)',
}
MECHANISMS, OURS, WHERE = (", ".join(known) for known in (TRIGGERS, POLICIES, SITES))
KNOWN_SITES = f"some of {WHERE}" if len(SITES) > 2 else WHERE.replace(", ", " or ")
BOUND = f"Bound({', '.join(f'{each.name}=1' for each in fields(Bound))})"


def text_of(**says: str) -> str:
    """A file with a policy, MINE, a field a line: the first is in line 4."""
    lines = [f"    {name}={value},\n" for name, value in {**FIELDS, **says}.items()]
    return "".join(["from safepoint.protocol.policy import Bound, Policy\n\nMINE = Policy(\n", *lines, ")\n"])


def call(*args: str) -> Result:
    return CliRunner().invoke(cli, args)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in EXAMPLE.glob("*.py"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)


def refused(*args: str) -> str:
    """What a command says that refuses."""
    result = call(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


# -- a file that has no policy


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.py:MINE", "none.py: there is no such file (write -p FILE.py:NAME, the path of a Python file with a Policy)"),
        (".:MINE", ".: is no file (write -p FILE.py:NAME, the path of a Python file with a Policy)"),
        ("mine.py", f"mine.py: no policy is named (write -p FILE.py:NAME, or one of {OURS})"),
        ("mine.py:", f"mine.py:: no policy is named (write -p FILE.py:NAME, or one of {OURS})"),
        ("mine.py:a b", f"mine.py:a b: no policy is named (write -p FILE.py:NAME, or one of {OURS})"),
        ("mine.py:MIEN", "mine.py:1:1: no MIEN in it (write one of MINE)"),
        ("mine.py:Bound", "mine.py:1:1: Bound is no Policy, but of type type (write one of MINE)"),
        ("lantern.py:LAMP", "lantern.py:1:1: no LAMP in it (write one of LANTERN, SLOW_TICKER)"),
    ],
)  # fmt: skip
def test_a_name_of_nothing_is_refused(name: str, said: str) -> None:
    Path("mine.py").write_text(text_of())
    assert refused("explore", "-p", name) == f"safepoint: {said}\n"


DEFINES = "raised when the file is executed (write a file that defines policies, and no more)"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = (\n", "mine.py:1:5: not Python: '(' was never closed (write a Python file)"),
        ("\0", "mine.py:1:1: not Python: source code string cannot contain null bytes (write a Python file)"),
        ("\n\nimport no_such_module\n", f"mine.py:3:1: ModuleNotFoundError: No module named 'no_such_module', {DEFINES}"),
        ("def f():\n    raise ValueError('a\\nb')\n\n\nf()\n", f"mine.py:2:1: ValueError: a b, {DEFINES}"),
        ("raise SystemExit(3)\n", f"mine.py:1:1: SystemExit: 3, {DEFINES}"),
        ("raise KeyboardInterrupt\n", f"mine.py:1:1: KeyboardInterrupt, {DEFINES}"),
        ("class E(Exception):\n    def __str__(self):\n        raise E\nraise E\n", f"mine.py:4:1: E, {DEFINES}"),
        (text_of().replace("    title", "    tilte"), f"mine.py:3:1: TypeError: Policy.__init__() got an unexpected keyword argument 'tilte', {DEFINES}"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_executed_is_refused(source: str, said: str) -> None:
    Path("mine.py").write_text(source)
    assert refused("explore", "-p", "mine.py:MINE") == f"safepoint: {said}\n"


# -- a policy that is nonsensical


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ({"name": '"folded"'}, "4:10: name: folded is one of ours (write: another name, or -p folded)"),
        ({"name": '"a b"'}, "4:10: name: 'a b' is no name (write: letters, digits, _, . and -)"),
        ({"title": "None"}, '5:11: title: None is no text of one line (write: title="…")'),
        ({"trigger": '"limits"'}, f"6:13: trigger: 'limits' is no mechanism, and no file beside this one (write: one of {MECHANISMS}, or the path of a trigger's text of your own)"),
        ({"trigger": '"limit.py"'}, "6:13: trigger: limit.py is the name of a file of ours (write: a file of another name)"),
        ({"sites": "()"}, f"9:11: sites: there is none, so no request is ever seen (write: some of {WHERE})"),
        ({"sites": '("push", "loop")'}, f"9:11: sites: no check site 'loop' (write: {KNOWN_SITES})"),
        ({"sites": '"push"'}, "9:11: sites: 'push' is no tuple of names (write: sites=(\"…\",))"),
        ({"sites": '("push", "push")'}, "9:11: sites: ('push', 'push') names one twice (write: each once)"),
        ({"sites": '("back-edge",)'}, '9:11: sites: trigger limit checks at site push, whatever a policy says (write: sites=("push", "back-edge"), or a trigger whose text asks checks_at(\'push\'))'),
        ({"trigger": '"flag"', "words": "()", "sites": '("push",)'}, '9:11: sites: trigger flag checks at site back-edge, whatever a policy says (write: sites=("push", "back-edge"), or a trigger whose text asks checks_at(\'back-edge\'))'),
        ({"sites": '("push", "back-edge", "return")'}, '9:11: sites: trigger limit makes no check at site return (write: sites=("push", "back-edge"), or another trigger)'),
        ({"sites": '("push", "back-edge", "return", "allocation")'}, "9:11: sites: a policy checks at one of return and allocation at most (write: one of them beside push and back-edge)"),
        ({"words": '("limit", "ticker")'}, '8:11: words: ticker: no check of trigger limit reads it (write: words=("limit",))'),
        ({"words": '("limits",)'}, '8:11: words: limits: is no trigger word (write: words=("limit",))'),
        ({"words": "()"}, '8:11: words: leaves out limit, which a check of trigger limit reads (write: words=("limit",))'),
        ({"trigger": '"limit_and_table"'}, '8:11: words: leaves out entry, which a check of trigger limit_and_table reads (write: words=("limit", "entry"))'),
        ({"trigger": '"ticker"', "words": '("ticker",)'}, "3:1: period: 0, and trigger ticker counts checks down from it (write: a number from 1 to 2147483647)"),
        ({"trigger": '"ticker"', "words": '("ticker",)', "period": "-1"}, "9:12: period: -1, and trigger ticker counts checks down from it (write: a number from 1 to 2147483647)"),
        ({"trigger": '"limit_and_budget"'}, "3:1: period: 0, and trigger limit_and_budget counts checks down from it (write: a number from 1 to 2147483647)"),
        ({"period": "True"}, "9:12: period: True is no number (write: period=2)"),
        ({"period": "3"}, "9:12: period: 3, and trigger limit counts no checks (write: no period, or another trigger)"),
        ({"base": "32"}, "9:10: base: 32, and trigger limit has no request bits in its limit (write: no base)"),
        ({"trigger": '"bits_in_limit"'}, "3:1: base: 0, and trigger bits_in_limit has request bits below 32 in its limit (write: base=32)"),
        ({"slices": '("mask",)'}, "9:12: slices: no feature 'mask' (write: masks or asking)"),
        ({"waives": '{"no-deadlok": "why"}'}, "9:12: waives: no property 'no-deadlok' (write: no-deadlock)"),
        ({"waives": '{"no-deadlock": ""}'}, "9:12: waives: {'no-deadlock': ''} gives no reasons (write: waives={\"pending-is-poisoned\": \"the reason\"})"),
        ({"declared": "1"}, f"7:14: declared: 1 is no Bound (write: {BOUND})"),
        (
            {"declared": "Bound(frames=1, back_edges=1, returns=1)"},
            "7:14: declared: returns=1, and sites has no 'return' (write: a site 'return', or a bound without returns)",
        ),
        *[
            ({"declared": f"Bound(frames=1, back_edges={n})"}, f'7:14: declared: back_edges={n} is no number of checks: the one that sees is counted (write: a number from 1 up, "depth": as many as fit on a stack, or None: no bound)')
            for n in ("0", "-1", "'deep'", "1.5", "True")
        ],
        ({"widths": '(("entry", 0),)'}, "9:12: widths: (('entry', 0),) is no size of a row of trigger words (write: widths=((\"entry\", 1),), up to 4)"),
        ({"widths": '(("limit", 1),)'}, "9:12: widths: (('limit', 1),) is no size of a row of trigger words (write: widths=((\"entry\", 1),), up to 4)"),
    ],
)  # fmt: skip
def test_a_nonsensical_policy_is_refused(says: dict[str, str], said: str) -> None:
    Path("mine.py").write_text(text_of(**says))
    assert refused("explore", "-p", "mine.py:MINE") == f"safepoint: mine.py:{said}\n"


def test_every_command_that_takes_a_policy_refuses_one_in_the_same_words() -> None:
    Path("mine.py").write_text(text_of(sites="()"))
    context = Context(cli)
    commands = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    takes = [name for name, found in commands.items() if found and any("-p" in option.opts for option in found.params)]
    assert set(takes) >= {"explore", "policies", "orders", "mutate", "run", "distance", "emit", "replay"}
    given = {"run": [GCD], "distance": [GCD], "emit": ["--c"], "replay": ["s:fib@3STOP"]}
    said = {refused(name, "-p", "mine.py:MINE", *given.get(name, [])) for name in takes}
    assert said == {f"safepoint: mine.py:9:11: sites: there is none, so no request is ever seen (write: some of {WHERE})\n"}  # fmt: skip


def test_a_scope_that_it_is_not_written_for_is_refused() -> None:
    Path("mine.py").write_text(text_of())
    assert refused("explore", "-p", "mine.py:MINE", "--scope", "limit-1") == (
        "safepoint: scope limit-1: the text of policy mine.py:MINE is not written for limit"
        " (choose a scope without; it is written for: none)\n"
    )


# -- a trigger's text that is none


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def look(", "def lok(", "armed_byte.py:1:1: defines no look(), as each trigger does (write: def look(t: Me) -> int: …)"),
        ("word: Trigger)", "word: int)", "armed_byte.py:26:1: back_edge() has other parameters than in each trigger (write instead: def back_edge(t: Me, word: Trigger) -> int)"),
        ("t: Armed, end: int", "t: Armed", "armed_byte.py:20:1: frame_push() has other parameters than in each trigger (write instead: def frame_push(t: Me, end: int) -> int)"),
        ("def look(t", "def look)t", "armed_byte.py:56:9: not Python: unmatched ')'"),
        ("armed: Trigger", "armed: Tigger", "armed_byte.py:16:12: no type of a word: Tigger (write instead: Word, Trigger, Triggers, Suspension, int)"),
        ("odd: int", "left: int", "armed_byte.py:17:5: a class has words only, each of its own name (write instead: name: Word, name: int)"),
        ("def look(", "def serve(t: Me) -> None:\n    return\n\n\ndef look(", "armed_byte.py:56:1: serve() is defined twice, before in owner.py (write instead: one)"),
        ("t.odd == 0", "t.even == 0", "armed_byte.py:27:8: Me declares no word even (write instead: one of limit, entry, ticker, "),
    ],
)  # fmt: skip
def test_a_trigger_that_is_none_is_refused(old: str, new: str, said: str) -> None:
    file = Path("armed_byte.py")
    source = file.read_text()
    assert source.count(old) == 1
    file.write_text(source.replace(old, new))
    assert refused("explore", "-p", LANTERN).startswith(f"safepoint: {said}")


# -- what each command does with one


def test_explore_finds_its_bound_and_its_mistakes() -> None:
    found = json.loads(call("explore", "-p", LANTERN, "--json").stdout)
    assert {(row["policy"], row["verdict"]) for row in found["protocol"]} == {(LANTERN, "holds")}
    assert {(row["bound"]["frames"], row["bound"]["back_edges"]) for row in found["protocol"]} == {(1, 2)}
    for mutant, broken in (("tested-at-calls-only", "declared-bound"), ("stays-armed", "checks-pass")):
        result = call("explore", "-p", LANTERN, "--mutant", mutant)
        assert result.exit_code == 1
        assert f"\n{broken}: " in result.stdout


def test_a_bound_that_is_too_small_is_refuted_and_the_string_replays_it() -> None:
    Path("mine.py").write_text(text_of(sites='("push",)'))
    result = call("explore", "-p", "mine.py:MINE")
    assert result.exit_code == 1
    assert "mine.py:MINE declares frames 1, back-edges 1, and has frames 1, back-edges unbounded" in result.stdout
    string = result.stdout.rstrip().rpartition("safepoint replay ")[2].strip("'")
    again = call("replay", string)
    assert (again.exit_code, again.stderr) == (1, "")
    assert "never sees INTERRUPT" in again.stdout


def test_a_bound_that_is_too_large_holds_and_is_said_to_claim_too_little() -> None:
    """Of each kind of check; and nothing where what is declared is attained, or where a mutant is looked for."""
    source = Path("lantern.py").read_text()
    Path("lantern.py").write_text(source.replace("frames=1, back_edges=2", "frames=None, back_edges=5"))
    result = call("explore", "-p", LANTERN, "--scope", "interrupt-1")
    place = "lantern.py:12:14: declared"
    said = [
        f"{place}: frames=None, and no scope explored attains it: at most 1 (write: frames=1; a larger scope may need more)",
        f"{place}: back_edges=5, and no scope explored attains it: at most 2 (write: back_edges=2; a larger scope may need more)",
    ]
    assert (result.exit_code, result.stderr.splitlines()) == (0, [f"too weak: {line}" for line in said])
    assert json.loads(call("explore", "-p", LANTERN, "--scope", "interrupt-1", "--json").stdout)["too_weak"] == said
    assert call("explore", "-p", LANTERN, "--scope", "interrupt-1", "--mutant", "stays-armed").stderr == ""
    Path("lantern.py").write_text(source.replace("frames=1, back_edges=2", 'frames="depth", back_edges=2'))
    assert call("explore", "-p", LANTERN, "--scope", "interrupt-1").stderr == ""  # how deep a stack is, a scope decides
    Path("lantern.py").write_text(source)
    assert call("explore", "-p", LANTERN).stderr == ""


def test_a_replay_says_that_the_policy_has_changed_or_has_gone() -> None:
    string = call("explore", "-p", LANTERN, "--mutant", "stays-armed").stdout.rstrip().rpartition(" ")[2].strip("'")
    assert call("replay", string).stderr == ""
    Path("lantern.py").write_text(Path("lantern.py").read_text() + "\n")  # it says the same
    assert call("replay", string).stderr == ""
    source = Path("armed_byte.py").read_text()
    Path("armed_byte.py").write_text(source + "\n")
    result = call("replay", string)
    assert (result.exit_code, result.stderr) == (1, "lantern.py:LANTERN: has changed since the path was found\n")
    Path("armed_byte.py").write_text(source.replace("t.armed.store(t.armed.poison)", "t.armed.swap(t.armed.poison)"))
    assert "the string is damaged, or the protocol's text has changed (copy it whole, or explore again)" in refused(
        "replay", string
    )
    Path("lantern.py").unlink()
    assert refused("replay", string) == (
        "safepoint: lantern.py: there is no such file (write -p FILE.py:NAME, the path of a Python file with a Policy);"
        " the path is of that policy\n"
    )


def test_a_path_in_any_folder_is_replayed(tmp_path: Path) -> None:
    """Its name has what a string has no room for: a blank, the signs that divide it, letters that are no English ones."""
    folder = tmp_path / "a b~c,d@e" / "größe"
    folder.mkdir(parents=True)
    for file in EXAMPLE.glob("*.py"):
        shutil.copy(file, folder)
    name = f"{folder.relative_to(tmp_path)}/{LANTERN}"
    result = call("explore", "-p", name, "--mutant", "stays-armed")
    assert call("replay", result.stdout.rstrip().rpartition(" ")[2].strip("'")).exit_code == 1


def test_run_has_its_checks_on_both_machines() -> None:
    expected = call("run", GCD).stdout
    Path("mine.py").write_text(text_of(sites='("push",)', declared="Bound(frames=1, back_edges=None)"))
    Path("table.py").write_text(text_of(trigger='"limit_and_table"', words='("limit", "entry")'))
    for policy in ("mine.py:MINE", "table.py:MINE", TICKER):
        for machine in ("vm", "reference"):
            assert call("run", "-p", policy, "--machine", machine, GCD).stdout == expected
    assert call("run", "-p", LANTERN, "--machine", "reference", GCD).stdout == expected
    assert refused("run", "-p", LANTERN, GCD) == (
        "safepoint: policy lantern.py:LANTERN: the interpreter has no checks for trigger armed_byte (use --machine reference)\n"
    )


def test_distance_counts_with_its_bound() -> None:
    for policy, until_seen in ((LANTERN, 2), (TICKER, 3)):
        found = json.loads(call("distance", "-p", policy, "--json", GCD).stdout)
        assert (found["policy"], found["checks"]["until_seen"]) == (policy, until_seen)


def test_emit_writes_its_header() -> None:
    made = call("emit", "--c", "-p", LANTERN).stdout
    assert "Made by `safepoint emit --c -p lantern.py:LANTERN`" in made
    assert "#ifndef SAFEPOINT_LANTERN_H" in made
    assert "sp_store_release(&t->armed, SP_ARMED_POISON);" in made
    assert "with a ticker of 3" in " ".join(call("emit", "--c", "-p", TICKER).stdout.replace("\n *", "").split())
    Path("mine.py").write_text(text_of(trigger='"epoch"', words='("epoch",)'))
    assert "policy mine.py:MINE has no header: its one word models a counter" in refused("emit", "--c", "-p", "mine.py:MINE")  # fmt: skip


def test_emit_writes_the_check_of_a_site_under_its_name() -> None:
    says = {"trigger": '"flag"', "words": "()", "sites": '("push", "back-edge", "return")'}
    Path("mine.py").write_text(text_of(**says))
    made = call("emit", "--c", "-p", "mine.py:MINE").stdout
    assert "enum sp_outcome sp_return(struct sp_thread *t);" in made
    assert "`sp_frame_push` and `sp_back_edge`, and in `sp_return`." in " ".join(made.replace("\n *", "").split())
    armed = Path("armed_byte.py").read_text()
    site = armed[armed.index("def frame_push") : armed.index("def back_edge")]
    site = site.replace("frame_push(t: Armed, end: int)", "elsewhere(t: Armed)").replace(
        "decide_push(t, end)", "allocation(t)"
    )
    site = site.replace("push_failed(t, end)", "slow_path(t)")
    helper = "def allocation(t: Armed) -> int:\n    t.armed.load()\n    return GO\n"
    Path("armed.py").write_text(f"{armed}\n\n{site}{helper}")
    Path("mine.py").write_text(
        text_of(trigger='"armed.py"', words='("armed",)', sites='("push", "back-edge", "allocation")')
    )
    assert refused("emit", "--c", "-p", "mine.py:MINE").endswith(
        "allocation: in C the check of this site has that name (choose another)\n"
    )


def test_mutate_mutates_its_trigger() -> None:
    """By worker processes, to which the policy is sent."""
    found = json.loads(call("mutate", "-p", LANTERN, "--at", "poison", "--json").stdout)
    ours = [row for row in found["mutations"] if row["file"] == "armed_byte.py"]
    assert [(row["policy"], row["verdict"]) for row in ours] == [(LANTERN, "killed")]


def test_a_text_that_is_here_is_not_on_a_cluster() -> None:
    for command in ("mutate", "orders"):
        assert refused(command, "-p", LANTERN, "--on", "tcp://127.0.0.1:1") == (
            "safepoint: -p lantern.py:LANTERN: the text of its trigger is not on the cluster (leave out --on, or choose a trigger of ours)\n"
        )


def test_a_table_shows_the_name_as_it_is() -> None:
    """Not `:LANTERN:` as a picture of one."""
    result = call("distance", "-p", LANTERN, GCD)
    assert f"policy {LANTERN}: " in result.stdout


WORDS = """\
class Armed(Me):
    armed: Triggers
    times: Word = begins(1)
    odd: int = 1
"""


def test_a_trigger_may_add_words_of_every_type() -> None:
    """A row of trigger words, a word and a number that begin as they say; explored, run, and written as C."""
    file = Path("armed_byte.py")
    source = file.read_text()
    head, _, rest = source.partition("class Armed(Me):")
    source = f"{head}{WORDS}\n\ndef {rest.partition('def ')[2]}"
    each = "for w in t.armed:\n        w.store(w.{0})"
    for old, new in (
        ("    if t.armed.load() == t.armed.poison:\n        return push_failed(t, end)\n", "    for w in t.armed:\n        if w.load() == w.poison:\n            return push_failed(t, end)\n"),
        ("    if t.armed.load() == t.armed.poison:                # POISON-EVERY-WORD: a site for each way to run for ever\n        return slow_path(t)\n", "    for w in t.armed:\n        if w.load() == w.poison:\n            return slow_path(t)\n"),
        ("t.armed.store(t.armed.poison)", each.format("poison")),
        ("t.armed.store(t.armed.real)", each.format("real")),
        ("def take(t: Armed) -> int:\n", "def take(t: Armed) -> int:\n    times = t.times.load()\n    t.times.store(times)\n"),
    ):  # fmt: skip
        assert source.count(old) == 1
        source = source.replace(old, new)
    file.write_text(source)
    assert call("explore", "-p", LANTERN, "--scope", "interrupt-1").exit_code == 0
    assert call("run", "-p", LANTERN, "--machine", "reference", GCD).stdout == call("run", GCD).stdout
    made = call("emit", "--c", "-p", LANTERN).stdout
    assert "atomic_init(&t->times, 1);" in made
    assert "t->odd = 1;" in made
    file.write_text(source.replace("    t.times.store(times)\n", "    claim('began-with-2', times == 2)\n"))
    assert "began-with-2" in call("explore", "-p", LANTERN, "--scope", "interrupt-1").stdout
    assert call("run", "-p", LANTERN, "--machine", "reference", GCD).exit_code == 0


# -- the page

PAGE = (
    (ROOT / "docs" / "policies.md")
    .read_text(encoding="utf-8")
    .partition("\n## Your own policy\n")[2]
    .partition("\n## ")[0]
)
(COMMANDS,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_page_shows_the_policy_and_its_trigger() -> None:
    shown = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    for block, file in zip(shown, ("lantern.py", "armed_byte.py"), strict=True):
        assert block in (EXAMPLE / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("line", COMMANDS.splitlines()[1:])
def test_each_command_of_the_page_does_what_it_says(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / COMMANDS.partition("\n")[0].removeprefix("cd "))
    command, _, comment = line.partition("#")
    status = re.search(r"exit status (\d)", comment)
    # for minutes: tests/model/test_own_policies.py has what it finds
    if "policies" not in command:
        assert call(*shlex.split(command)[1:]).exit_code == (int(status[1]) if status else 0)


@pytest.mark.parametrize("block", re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
def test_each_refusal_of_the_page_reads_as_shown(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE)
    for command, said in re.findall(r"^\$ safepoint (.*)\n(.*\n)", block, re.MULTILINE):
        assert refused(*shlex.split(command)) == said


def test_the_page_names_every_field() -> None:
    assert {each.name for each in fields(Policy)} <= set(re.findall(r"`(\w+)`", PAGE))
