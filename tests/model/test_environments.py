"""Our protocol with other files in place of some of ours: under any name, several at once, the environment too; nothing silently."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli
from safepoint.graph.text import ProtocolError
from safepoint.model.custom import chosen_of, read, scopes_of
from safepoint.model.environment import left_out
from safepoint.model.scopes import SCOPES
from safepoint.protocol import HERE, TRIGGERS, files
from safepoint.protocol.policies import PATCHED, POLICIES

WATCHDOG = (
    "\n\ndef watchdog() -> None:\n    t = choose(threads())\n    post(t, SAMPLE)\n    pause()\n    return watchdog()\n"
)


def copied(tmp_path: Path, ours: str, name: str, *changes: tuple[str, str], more: str = "") -> Path:
    source = (HERE / ours).read_text(encoding="utf-8")
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    path = tmp_path / name
    path.write_text(source + more, encoding="utf-8")
    return path


def explore(*args: str | Path) -> Result:
    return CliRunner().invoke(cli, ["explore", *map(str, args)])


@pytest.mark.parametrize("ours", [path.relative_to(HERE) for path in files()], ids=str)
def test_each_file_is_read_under_any_name(ours: Path, tmp_path: Path) -> None:
    path = copied(tmp_path, str(ours), "mine.py")
    text = read(path)
    assert text.instead == {path: HERE / ours}
    assert [text.instead.get(file, file) for file in text.files] == list(files())
    assert not text.is_custom
    assert scopes_of(text) == SCOPES


def test_an_environment_adds_a_role_and_keeps_our_properties(tmp_path: Path) -> None:
    path = copied(tmp_path, "roles.py", "environment.py", more=WATCHDOG)
    added = scopes_of(read(path)).keys() - SCOPES.keys()
    assert added == {"watchdog-1", "watchdog-2"}
    done = explore("--protocol", path, "--scope", "watchdog-1")
    assert (done.exit_code, "holds" in done.output) == (0, True), done.output
    assert f"{path}: read in place of our roles.py" in done.output
    broken = explore("--protocol", path, "--scope", "watchdog-1", "--mutant", "poison-before-post")
    assert broken.exit_code == 1
    assert "pending-is-poisoned" in broken.output


def test_several_files_at_once_are_all_read(tmp_path: Path) -> None:
    extra = "\n\ndef {}(t: Thread) -> None:\n    t.pending.load()\n"
    owner = copied(tmp_path, "owner.py", "a.py", more=extra.format("of_a"))
    requester = copied(tmp_path, "requester.py", "b.py", more=extra.format("of_b"))
    text = read([owner, requester])
    assert text.instead == {owner: HERE / "owner.py", requester: HERE / "requester.py"}
    assert {"of_a", "of_b"} <= text.functions.keys()
    done = explore(
        "--protocol", owner, "--protocol", requester, "--scope", "interrupt-1", "--mutant", "take-before-restore"
    )
    assert done.exit_code == 1
    assert done.output.strip().splitlines()[-1].count("--protocol") == 2


def test_what_the_environment_has_not_is_said(tmp_path: Path) -> None:
    path = copied(
        tmp_path,
        "roles.py",
        "mine.py",
        ("def sampler() -> None:", "def profiler() -> None:"),
        ("return sampler()", "return profiler()"),
    )
    text = read(path)
    needing = [name for name, scope in SCOPES.items() if "sampler" in scope.roles]
    assert left_out(text) == {"role sampler": needing}
    assert "profiler-1" in scopes_of(text)
    assert all("sampler" not in scope.roles for scope in chosen_of(text, "nightly"))
    done = explore("--protocol", path, "--scope", "profiler-1")
    assert done.exit_code == 0
    assert "left out: the text has no role sampler, which these scopes need: loops-1, " in done.output
    assert max(map(len, done.output.splitlines())) <= 118
    assert all(name in done.output for name in needing)


def test_a_scope_that_is_left_out_is_named_once() -> None:
    """With the first that it needs, of many."""
    text = read((Path(__file__).parent / "data" / "sampled_loops.py",), PATCHED)
    assert "everything-1" in left_out(text)["role coordinator"]
    assert sorted(name for names in left_out(text).values() for name in names) == sorted(
        SCOPES.keys() - scopes_of(text).keys()
    )


def test_imports_are_followed_and_given_files_may_be_imported(tmp_path: Path) -> None:
    helper = tmp_path / "asks.py"
    helper.write_text("from safepoint.protocol.requester import post\nfrom safepoint.protocol.words import SAMPLE, Thread\n\n\n"
                      "def ask_one(t: Thread) -> None:\n    post(t, SAMPLE)\n", encoding="utf-8")  # fmt: skip
    more = WATCHDOG.replace("post(t, SAMPLE)", "ask_one(t)")
    path = copied(
        tmp_path,
        "roles.py",
        "mine.py",
        ("from safepoint.protocol.trigger", "from asks import ask_one\nfrom safepoint.protocol.trigger"),
        more=more,
    )
    for given in ([path], [helper, path], [path, helper]):
        text = read(given)
        assert text.files[-2:] == (helper, path)
        assert "watchdog-1" in scopes_of(text)


def test_what_is_defined_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text("def post(t: Thread) -> None:\n    pause()\n", encoding="utf-8")
    path = copied(
        tmp_path,
        "roles.py",
        "mine.py",
        ("from safepoint.protocol.requester", "from asks import post\nfrom safepoint.protocol.requester"),
    )
    with pytest.raises(ProtocolError, match=r"asks\.py:1:1: post\(\) is defined twice, before in requester\.py"):
        read(path)


def test_a_variant_may_be_imported_under_its_own_name(tmp_path: Path) -> None:
    owner = copied(tmp_path, "owner.py", "slow.py")
    path = copied(tmp_path, "roles.py", "mine.py", ("from safepoint.protocol.owner import", "from slow import"))
    assert read(path).instead == {owner: HERE / "owner.py", path: HERE / "roles.py"}


def test_a_custom_text_may_be_of_several_files(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text("class Thread:\n    go: Trigger\n    x: Word\n\n\ndef threads() -> None: ...\n")
    mine = tmp_path / "mine.py"
    mine.write_text("from .words import Thread, threads\n\n\ndef mutator(t: Thread) -> None:\n    t.x.load()\n    return mutator(t)\n\n\n"
                    "def role() -> None:\n    pause()\n    return role()\n")  # fmt: skip
    text = read(mine)
    assert text.is_custom
    assert [path.name for path in text.files] == ["words.py", "mine.py"]
    assert list(scopes_of(text)) == ["role-1", "role-2", "role-3"]


def test_what_cannot_be_placed_is_refused(tmp_path: Path) -> None:
    one, two = copied(tmp_path, "owner.py", "a.py"), copied(tmp_path, "owner.py", "b.py")
    with pytest.raises(ProtocolError, match=r"b\.py and .*a\.py both stand for our owner\.py \(write: one of them\)"):
        read([one, two])
    one.write_text("def mine(t: Me) -> None:\n    pause()\n")
    with pytest.raises(
        ProtocolError, match=r"a\.py: neither a text of its own, which has a mutator\(\), nor a variant"
    ):
        read(one)
    one.write_text("from elsewhere import thing\n")
    with pytest.raises(ProtocolError, match=r"a\.py:1:1: from elsewhere import thing: no file elsewhere\.py beside it"):
        read(one)
    for module in ("import asks", "from asks import ask_one as ask"):
        one.write_text(module + "\n")
        with pytest.raises(
            ProtocolError, match=r"a\.py:1:1: .*or another name for what it has \(write instead: from FILE import NAME"
        ):
            read(one)
    one.write_text("def post(t: Thread) -> None: ...\ndef serve(t: Me) -> None: ...\n")
    with pytest.raises(
        ProtocolError, match=r"a\.py: defines as much of requester\.py as of owner\.py \(write: a file for each"
    ):
        read(one)
    flag = copied(tmp_path, "triggers/flag.py", "flag.py")
    with pytest.raises(ProtocolError, match=r"flag\.py: is not read with trigger limit_and_table \(write: -p"):
        read(flag)
    policy = next(policy for policy in POLICIES.values() if policy.trigger == "flag")
    assert read(flag, policy).instead == {flag: TRIGGERS["flag"]}


def test_a_trigger_of_another_name_stays_with_its_policy(tmp_path: Path) -> None:
    policy = next(policy for policy in POLICIES.values() if policy.trigger == "flag")
    mine = read(copied(tmp_path, "triggers/flag.py", "mine.py"), policy)
    assert mine.with_trigger("flag") is mine
    with pytest.raises(ProtocolError, match=r"mine\.py: is not read with trigger ticker"):
        mine.with_trigger("ticker")
