"""The header is the text: each procedure, each access with its order, each rule beside its line; and it compiles."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from safepoint.emit.accesses import ORDERS
from safepoint.emit.choose import choose
from safepoint.emit.fold import CannotEmit, called, head, loops
from safepoint.emit.header import header
from safepoint.emit.title import no_header
from safepoint.graph import orders
from safepoint.graph.gather import text_of
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.model.scopes import SCOPES
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import FURTHER, Policy
from safepoint.protocol.rules import RULES
from safepoint.protocol.trigger import elsewhere
from tests.emit.building import CC, HOOKS, ROOT, compiled, needs_cc
from tests.emit.instructions import disassembled, on_x86, probe
from tests.rules import case

VARIANTS = ("MEMBARRIER", "LEAVING", "EXCLUSIVE", "FAIRNESS")
EVERY = [policy for policy in POLICIES.values() if not no_header(policy)]


@cache
def sound(policy: Policy) -> str:
    """Its header, made once for all tests."""
    return header(policy)


def functions(made: str) -> dict[str, str]:
    """Name of a procedure in the text to its C, with the comment above it."""
    start = made.index("---- requester */")
    found = re.findall(
        r"((?:/\*(?:[^*]|\*(?!/))*\*/\n)?)(?:static inline|SP_COLD) [\w ]+ sp_(\w+)\([^)]*\)\n\{\n(.*?)^\}",
        made[start:],
        re.DOTALL | re.MULTILINE,
    )
    named = dict.fromkeys(FURTHER.values(), elsewhere.__name__)  # the one procedure that has its site's name in C
    return {named.get(name, name): comment + body for comment, name, body in found}


# -- what is there


def test_folded_has_every_procedure_of_the_text() -> None:
    """But for the two that stand for mistakes, and what is declared only."""
    text = text_of(FOLDED)
    ours = {n for n, p in text.functions.items() if p.file != "roles.py"}
    twins = {"spurious_is_overflow", "overflow_wins"}
    assert set(choose(text, FOLDED).bodies) == ours - twins - {"threads"}
    made = functions(sound(FOLDED))
    helpers = {"deliverable", "real_limit"}
    parts = {f"{name}_once" for name in ("run_for", "back_off", "park")}
    assert set(made) == (ours - twins - {"threads"} - helpers - {"run_for", "back_off"}) | parts


@pytest.mark.parametrize("policy", EVERY, ids=lambda p: p.name)
def test_what_is_left_out_is_named(policy: Policy) -> None:
    made = sound(policy)
    title = made.partition("#ifndef")[0]
    text = text_of(policy)
    twins = {
        "spurious_is_overflow",
        "overflow_wins",
        "threads",
        "fence_stop",
        "fence_claim",
        "await_operations",
        "await_held",
    }
    ours = {n for n, p in text.functions.items() if p.file != "roles.py"} - twins
    gone = ours - set(choose(text, policy).bodies)
    unused = (
        {f"{each}_pending" for each in ("take", "look", "add", "drop")} if policy.trigger == "bits_in_limit" else set()
    )
    if "look" in gone:  # what is named; these two only help it and the sites that call it
        unused |= {"look_again", "look_pending"}
    if not policy.elsewhere:
        unused.add("elsewhere")
    if "push" not in policy.sites:
        unused.add("push_failed")
    if "start_thread" in gone:
        unused |= {"drop", "drop_pending"}
    assert all(f"sp_{name}" in title for name in gone - unused), gone
    for variant in map(str.lower, VARIANTS):
        assert (f"#ifndef SP_{variant.upper()}\n" in made) == (variant in policy.slices)
        assert (f"\n *   {variant} " in title) == (variant not in policy.slices)


def test_skybison_has_no_births_and_dart_no_pending_word() -> None:
    assert "sp_start_thread(" not in sound(POLICIES["skybison"]).partition("#ifndef")[2]
    made = sound(POLICIES["dart"])
    assert "sp_start_thread(" in made
    assert " pending;" not in re.findall(r"^struct sp_thread \{\n(.*?)^\};", made, re.DOTALL | re.MULTILINE)[0]


# -- the accesses


def c_accesses(body: str) -> set[tuple[str, str, str]]:
    """Word, operation and order of each access that a C body makes."""
    usual = {"load": "", "store": "", "below": "acquire", "equals": "acquire"}
    is_a = {"cas_trigger": "cas", "claim": "cas", "below": "load", "equals": "load"}
    found = set()
    for name, order, word in re.findall(
        rf"\bsp_(load|store|fetch_\w+?|swap|cas|cas_trigger|claim|below|equals)(?:_({'|'.join(ORDERS)}))?\(&[\w>-]+?(?:->|\.)(\w+)",
        body,
    ):
        op = is_a.get(name, name)
        if word == "holders":
            op = {"fetch_add": "fetch_or", "fetch_sub": "fetch_and"}.get(op, op)
        found.add((word, op, order or usual.get(name, "seq_cst")))
    return found


def str_of(x: Policy | bool) -> str:
    return x.name if isinstance(x, Policy) else "as weak as it holds" if x else "as the text"


def least(policy: Policy) -> list[str]:
    """What docs/orders.md says of all accesses of a policy together under C11: a mutant for each that may be weaker."""
    page = (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
    table = page.partition(f"### Policy `{policy.name}` under `c11`\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| `([\w.-]+)` \| (\w+) \| \w+ \| (\w+) \|", table, re.MULTILINE)
    return [f"{name}.{order}" for name, usual, order in rows if order != usual]


@pytest.mark.parametrize("policy", [name for name, policy in POLICIES.items() if no_header(policy)])
def test_a_policy_whose_words_c_has_not_is_refused(policy: str) -> None:
    with pytest.raises(
        CannotEmit, match=f"^policy {policy} has no header: .* \\(emit that of v8_maglev or cpython, .*\\)$"
    ):
        header(POLICIES[policy])


def test_all_policies_but_two_have_a_header() -> None:
    assert [name for name, policy in POLICIES.items() if no_header(policy)] == ["wasmtime", "patched"]


WITH_LEAST = [policy for policy in EVERY if least(policy)]
"""The policies whose least orders docs/orders.md has; it names the others."""


@pytest.mark.parametrize(
    ("policy", "is_weak"),
    [*((policy, False) for policy in EVERY), *((policy, True) for policy in WITH_LEAST)],
    ids=str_of,
)
def test_each_access_has_the_word_and_the_order_that_the_model_explores(policy: Policy, is_weak: bool) -> None:
    """Read from the graph, which the emitter does not write its accesses from."""
    mutant = "+".join(least(policy)) if is_weak else ""
    assert bool(mutant) == is_weak
    text, made = text_of(policy), functions(header(policy, mutant))
    checked = 0
    for name in choose(text, policy).bodies:
        body = made.get(f"{name}_once", made.get(name))
        if body is None or name == "operate":  # an expression; and a look that stands for the operation
            continue
        expected = set()
        for slices in ((), *((v.lower(),) for v in VARIANTS if v.lower() in policy.slices)):
            graph = compile_graph(text, name, Instance(mutant=mutant, slices=slices, sites=policy.sites))
            for step in graph.steps:
                if step.where[-1] == name and step.cell is not None:
                    order = step.order or orders.SEQ_CST
                    expected.add((step.cell.word.partition("[")[0], step.op, order))
        assert c_accesses(body) == expected, name
        checked += len(expected)
    assert checked >= 15


def test_the_three_orders_that_matter_under_c11_are_there() -> None:
    """REENTER-IS-A-BARRIER, CLAIM-LOOKS-AGAIN, POST-WAKES: with acquire and release they are wrong (`explore --memory c11`)."""
    made = functions(sound(FOLDED))
    assert "sp_load_seq_cst(&sp_world.stop)" in made["reenter"]
    assert "sp_load_seq_cst(&t->state)" in made["run_for_once"]
    assert "sp_store_seq_cst(&t->wake, 1)" in made["awaken"]
    for mutant, name in (("reenter-acquire", "reenter"), ("claim-acquire", "run_for_once"), ("wake-release", "awaken")):
        broken = functions(header(FOLDED, mutant))[name]
        assert c_accesses(broken) != c_accesses(made[name])


@needs_cc
@pytest.mark.parametrize("policy", WITH_LEAST, ids=lambda p: p.name)
def test_the_least_orders_compile_and_the_header_says_that_they_are_weaker(policy: Policy, tmp_path: Path) -> None:
    orders_of = least(policy)
    made = header(policy, "+".join(orders_of))
    compiled(tmp_path, made, HOOKS, "-O2")
    compiled(tmp_path, made, HOOKS, "-O2", "-DSP_PORTABLE")
    assert not re.search(r"memory_order_\w+,\s+memory_order_(release|acq_rel)", made)  # C11: no order of a failed one
    assert max(map(len, made.splitlines())) <= 100
    title = " ".join(made.partition("#ifndef")[0].replace("\n *", " ").split())
    weaker, _, gone = title.partition("docs/orders.md says")[0].partition(
        " Of those asked for, without an access in this header: "
    )
    assert weaker.startswith("/* WITH WEAKER ORDERS THAN THE TEXT HAS: ")
    named = [re.findall(r"[\w-]+\.\w+\.[\w-]+\.\w+", said) for said in (weaker, gone)]
    assert sorted([*named[0], *named[1]]) == sorted(orders_of)
    assert {each.partition(".")[0] for each in named[1]} == {"operate"}  # what the VM's operation looks at is the VM's


def test_one_weaker_order_changes_one_access() -> None:
    """And a compare-and-swap whose order releases fails with one that does not."""
    made, sound_one = functions(header(FOLDED, "reenter.stop.look.acquire")), functions(sound(FOLDED))
    assert {name for name in made if made[name] != sound_one[name]} == {"reenter"}
    changed = [
        pair
        for pair in zip(made["reenter"].splitlines(), sound_one["reenter"].splitlines(), strict=True)
        if len({*pair}) > 1
    ]
    assert [tuple(line.strip() for line in pair) for pair in changed] == [
        ("uint32_t stopped = sp_load_acquire(&sp_world.stop);", "uint32_t stopped = sp_load_seq_cst(&sp_world.stop);")
    ]
    claim = header(FOLDED, "own_handshake.operation.cas.acq_rel").partition("bool sp_cas_acq_rel(")[2]
    assert re.search(r"value, memory_order_acq_rel,\s+memory_order_acquire\);", claim.partition("}")[0])


@pytest.mark.parametrize("mutant", ["operate.operation.load.relaxed", "drop_pending.pending.swap.acquire"])
def test_an_order_of_no_access_of_the_header_is_refused(mutant: str) -> None:
    with pytest.raises(
        CannotEmit, match=f"^mutant {mutant}: stands in {mutant.partition('.')[0]}, which this policy's"
    ):
        header(POLICIES["skybison"], mutant)


def test_take_comes_after_restore_and_the_mutant_has_it_the_other_way_round() -> None:
    def order(mutant: str) -> list[str]:
        return re.findall(r"sp_(restore|take)\(t\)", functions(header(FOLDED, mutant))["slow_path"])

    assert order("") == ["restore", "take"]
    assert order("take-before-restore") == ["take", "restore"]


def test_a_record_may_be_held_by_several_although_the_text_has_one_bit_for_it() -> None:
    """The text says that the bit stands for a count: with a bit, the first to let go would let go for all."""
    made = functions(sound(FOLDED))
    assert "sp_fetch_add(&t->holders, 1);" in made["hold_record"]
    assert "sp_fetch_sub(&t->holders, 1);" in made["let_go_of_record"]
    assert "sp_claim(&t->holders, 0, 0, &seen)" in made["await_holders"]


# -- waits and wakes


def test_what_ends_a_wait_wakes_and_nothing_else_does() -> None:
    """A word that a thread may wait for is woken where it gets a value that ends the wait: by hand, from the text."""
    made = functions(sound(FOLDED))
    wakes = {(name, word) for name, body in made.items() for word in re.findall(r"SP_WAKE\(&\w+(?:->|\.)(\w+)\)", body)}
    assert wakes == {
        ("awaken", "wake"), ("start_world", "stop"), ("start_world", "lock"), ("run_for_once", "operation"),
        ("back_off_once", "operation"), ("own_handshake", "operation"), ("park_once", "state"), ("leave", "state"),
        ("exit_thread", "state"), ("reenter", "parked"), ("let_go_of_record", "holders"),
    }  # fmt: skip


# -- the prose


@pytest.mark.parametrize("policy", EVERY, ids=lambda p: p.name)
def test_each_rule_stands_beside_its_line_and_its_sentence_at_the_top(policy: Policy) -> None:
    text, whole = text_of(policy), sound(policy)
    made = functions(whole)
    title = " ".join(whole.partition("#ifndef")[0].replace("\n *", " ").split())
    cited = set()
    for name in choose(text, policy).bodies:
        procedure = text.functions[name]
        mistakes = {n for m in text.mutants.values() for _, n, _ in m.places}
        said = "\n".join(
            line for n, line in enumerate(text.lines[procedure.file], 1)
            if procedure.node.lineno <= n <= (procedure.node.end_lineno or 0) and n not in mistakes
        )  # fmt: skip
        rules = {rule for rule in re.findall(r"# .*", said) for rule in re.findall(r"\b[A-Z]+(?:-[A-Z]+)+\b", rule)}
        if name in ("deliverable", "real_limit"):
            continue
        body = made.get(f"{name}_once", made.get(name, ""))
        of_variants = (
            {"STOP-IS-EXCLUSIVE", "HELD-RUNS-FIRST", "REQUESTER-IS-A-BARRIER"} if policy is not FOLDED else set()
        )
        if name == "back_edge" and "back-edge" not in policy.sites:
            assert re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL).split() == ["(void)t;", "return", "SP_GO;"]
            continue
        assert {rule for rule in rules - of_variants if rule not in body} == set(), name
        cited |= rules & set(re.findall(r"\b[A-Z]+(?:-[A-Z]+)+\b", body))
    assert len(cited) >= 15
    for rule in cited:
        assert f"{rule} {' '.join(RULES[rule].text.split())}" in title, rule


@pytest.mark.parametrize("policy", EVERY, ids=lambda p: p.name)
def test_lines_are_short_and_no_word_of_the_emitters_own_language_is_left(policy: Policy) -> None:
    made = sound(policy)
    assert max(map(len, made.splitlines())) <= 100
    assert not re.search(r"\bslice_on\b|\bchecks_at\b|\bmutant\(|\bNone\b|\bself\b| +$|\t", made, re.MULTILINE)
    assert made.count("/*") == made.count("*/")


@pytest.mark.parametrize("policy", EVERY, ids=lambda p: p.name)
def test_no_comment_is_about_the_text_instead_of_the_header(policy: Policy) -> None:
    """What the text's files, words and features are called says nothing to who reads C."""
    whole = sound(policy)
    said = " ".join(" ".join(re.findall(r"/\*.*?\*/", whole, re.DOTALL)).replace("\n *", " ").split())
    assert not re.findall(
        r"of their own|trigger [a-z]+_|stands for it|Thread\.\w+|the text is a count|for a model", said
    )
    named = set(re.findall(r"`(sp_\w+)`", said))
    assert len(named) > 3
    left_out = whole.partition(" * Not here,")[0]
    assert {
        name for name in named if f" {name}(" not in whole.partition("#ifndef")[2] and f"{name}" not in left_out
    } == set()


def test_it_is_the_same_in_every_process() -> None:
    made = sound(FOLDED)
    code = "import sys; from safepoint.emit.header import header; from safepoint.protocol.policies import FOLDED; sys.stdout.write(header(FOLDED))"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == made


def test_no_scope_has_two_variants_so_the_header_refuses_two() -> None:
    assert all(len({*s.slices} & {v.lower() for v in VARIANTS}) <= 1 for s in SCOPES.values())


def test_what_goes_round_is_one_loop() -> None:
    """C has no jump from procedure to procedure: each circle of the text has a head, and calls of the rest are answered."""
    each = called(choose(text_of(FOLDED), FOLDED).bodies)
    circles = loops(each)
    assert {head(circle, each): set(circle) for circle in circles.values()} == {
        "finish_handshake": {"finish_handshake", "run_for", "back_off"},
        "reenter": {"reenter", "park"},
    }
    made = functions(sound(FOLDED))
    for name, body in made.items():
        assert not re.search(rf"\bsp_{name}\(", body.partition("*/\n")[2] or body), f"{name} calls itself"


# -- the compiler


@needs_cc
@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3"])
@pytest.mark.parametrize("policy", EVERY, ids=lambda p: p.name)
def test_it_compiles_without_a_warning(policy: Policy, optimize: str, tmp_path: Path) -> None:
    compiled(tmp_path, sound(policy), HOOKS, optimize)
    compiled(tmp_path, sound(policy), HOOKS, optimize, "-DSP_PORTABLE")


@needs_cc
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_compiles_and_two_are_refused(variant: str, tmp_path: Path) -> None:
    compiled(tmp_path, sound(FOLDED), HOOKS, "-O2", f"-DSP_{variant}=1")
    other = VARIANTS[VARIANTS.index(variant) - 1]
    with pytest.raises(AssertionError, match="two variants at once"):
        compiled(tmp_path, sound(FOLDED), HOOKS, f"-DSP_{variant}=1", f"-DSP_{other}=1")


@needs_cc
@pytest.mark.parametrize("policy", EVERY, ids=lambda p: p.name)
def test_a_switch_that_the_text_is_not_written_for_is_refused(policy: Policy, tmp_path: Path) -> None:
    """`SP_MEMBARRIER` with a header that ignores it would be a VM without a barrier on either side."""
    for variant in VARIANTS:
        compiled(tmp_path, sound(policy), HOOKS, "-fsyntax-only", f"-DSP_{variant}=0", "-Wundef")
        if variant.lower() not in policy.slices:
            with pytest.raises(AssertionError, match=f"SP_{variant}: the text of this policy is not written for it"):
                compiled(tmp_path, sound(policy), HOOKS, "-fsyntax-only", f"-DSP_{variant}=1")


def test_with_membarrier_the_compiler_keeps_the_look_behind_the_store() -> None:
    """docs/porting.md: the requester's fence is for processors; nothing else fences the compiler."""
    body = functions(sound(FOLDED))["reenter"].replace("\n", " ")
    membarrier, _, other = body.partition("#if SP_MEMBARRIER")[2].partition("#else")
    store, fence = (
        membarrier.index("sp_store_release(&t->state, SP_MANAGED)"),
        membarrier.index("atomic_signal_fence(memory_order_seq_cst);"),
    )
    assert store < fence
    assert "atomic_signal_fence" not in other
    assert other.index("#endif") < other.index("sp_load_seq_cst(&sp_world.stop)")


@needs_cc
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("-DSP_WAIT(w,s)=0",), "define SP_WAIT and SP_WAKE, or neither"),
        (("-DSP_WAKE(w)=0",), "define SP_WAIT and SP_WAKE, or neither"),
        (("-std=c99",), "safepoint.h is C11"),
        (("-x", "c++", "-std=c++17"), "safepoint.h is C11"),
        ((), "ignoring return value of .sp_back_edge"),
    ],
)
def test_what_cannot_be_right_does_not_compile(flags: tuple[str, ...], said: str, tmp_path: Path) -> None:
    source = HOOKS + (
        "" if flags else "void edge(struct sp_thread *t);\nvoid edge(struct sp_thread *t) { sp_back_edge(t, 0); }\n"
    )
    with pytest.raises(AssertionError, match=said):
        compiled(tmp_path, sound(FOLDED), source, *flags)
    compiled(tmp_path, sound(FOLDED), HOOKS, "-DSP_WAIT(w,s)=((void)(w),(void)(s))", "-DSP_WAKE(w)=((void)(w))")


@needs_cc
def test_a_line_is_128_bytes_or_what_the_vm_says(tmp_path: Path) -> None:
    """docs/porting.md: Apple's lines, and x86's pairs of lines; the stop word and the lock apart."""
    for flags, line in (((), 128), (("-DSP_LINE=64",), 64)):
        source = f"""{HOOKS}
_Static_assert(_Alignof(struct sp_thread) == {line} && offsetof(struct sp_thread, pending) == {line}, "");
_Static_assert(offsetof(struct sp_world, lock) == {line}, "");
"""
        compiled(tmp_path, sound(FOLDED), source, *flags)


def own(policy: Policy) -> list[str]:
    """The mistakes that stand in its trigger's file alone."""
    return [m.name for m in text_of(policy).mutants.values() if {f for f, _, _ in m.places} == {f"{policy.trigger}.py"}]


SITELESS = {
    ("skybison", "checks-at-calls-only"): "changes nothing in the header of policy skybison",
    ("go", "checks-at-calls-only"): "changes nothing in the header of policy go",
    ("cpython", "checks-at-loops-only"): "stands in elsewhere, which this policy's header has not",
    ("guard_page", "checks-at-loops-only"): "stands in elsewhere, which this policy's header has not",
    ("pypy_sampling", "checks-at-allocations-only"): "changes nothing in the header of policy pypy_sampling",
}
"""Policy and a mistake at a site that it has not, to what is said of it."""
PUT_IN = [
    case(text_of(policy).mutants[mutant].rule, f"{policy.name} {mutant}", policy, mutant)
    for policy in EVERY
    for mutant in (text_of(policy).mutants if policy is FOLDED else own(policy))
    if (policy.name, mutant) not in SITELESS
]


@pytest.mark.parametrize(("policy", "mutant"), PUT_IN)
def test_each_mutant_of_the_text_can_be_put_in(policy: Policy, mutant: str, tmp_path: Path) -> None:
    made = header(policy, mutant)
    assert functions(made) != functions(sound(policy))
    title = " ".join(made.partition("#ifndef")[0].replace("\n *", " ").split())
    assert f"WITH THE MISTAKE {mutant} PUT IN, which breaks {text_of(policy).mutants[mutant].rule}" in title
    if CC:
        compiled(tmp_path, made, HOOKS, "-fsyntax-only")


@pytest.mark.parametrize(
    ("policy", "mutant", "why"),
    [
        ("skybison", "born-running", "stands in start_thread, which this policy's header has not"),
        ("dart", "takes-posts-back", "needs pending, which no record of policy dart has"),
        ("cpython", "operates-while-stopped", "changes nothing in the header of policy cpython"),
        *((policy, mutant, why) for (policy, mutant), why in SITELESS.items()),
    ],
)
def test_a_mutant_that_is_in_no_line_of_the_header_is_refused(policy: str, mutant: str, why: str) -> None:
    with pytest.raises(CannotEmit, match=rf"^mutant {mutant}: {why} \(choose another\)$"):
        header(POLICIES[policy], mutant)


WHEN_IT_PASSES = {
    ("folded", "push"): ["cmp %rsi,(%rdi)", "jb"],
    ("folded", "edge"): ["cmpq $0x0,0x8(%rdi)", "je"],
    ("dart", "edge"): ["cmpq $0x20,(%rdi)", "jb"],
    ("v8_maglev", "push"): ["cmp %rsi,(%rdi)", "jb"],
    ("v8_maglev", "edge"): ["cmpq $0x0,(%rdi)", "je"],
    ("skybison", "push"): ["cmp %rsi,(%rdi)", "jb"],
    ("hotspot", "edge"): ["cmpq $0x0,(%rdi)", "je"],
    ("hotspot", "elsewhere"): ["cmpq $0x0,(%rdi)", "je"],
    ("ocaml", "edge"): ["cmpq $0x0,(%rdi)", "je"],
}
"""Policy and site to the two instructions of its fast path."""


@needs_cc
@on_x86
@pytest.mark.parametrize("optimize", ["-O2", "-O3"])
@pytest.mark.parametrize(("policy", "site"), WHEN_IT_PASSES)
def test_the_fast_path_is_two_instructions(policy: str, site: str, optimize: str, tmp_path: Path) -> None:
    instructions = [*probe(POLICIES[policy], tmp_path, optimize)[site].values()]
    compare, jump = WHEN_IT_PASSES[policy, site]
    assert instructions[0] == compare
    assert instructions[1].startswith(f"{jump} ")
    assert instructions[2:4] == ["xor %eax,%eax", "ret"]  # GO: that is this function's, and not the check's


MADE_OF = {
    "sp_load_acquire(w)": "mov",
    "sp_load_seq_cst(w)": "mov",
    "sp_store_release(w, 1)": "movl",
    "sp_store_seq_cst(w, 1)": "xchg",
    "sp_fetch_or(w, 1)": "lock orl",
    "sp_swap(w, 1)": "xchg",
    "sp_cas(w, 0, 1)": "lock cmpxchg",
}
"""Access to the instruction on x86-64 that docs/implement.md has for it."""


@needs_cc
@on_x86
def test_accesses_are_the_instructions_of_the_checklist(tmp_path: Path) -> None:
    source = HOOKS + "".join(
        f"void probe{n}(_Atomic uint32_t *w);\nvoid probe{n}(_Atomic uint32_t *w) {{ (void){access}; }}\n"
        for n, access in enumerate(MADE_OF)
    )
    listing = disassembled(compiled(tmp_path, sound(FOLDED), source, "-O2"))
    for n, (access, instruction) in enumerate(MADE_OF.items()):
        assert any(line.startswith(f"{instruction} ") and "(%rdi)" in line for line in listing[f"probe{n}"].values()), (
            access
        )
