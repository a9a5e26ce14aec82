"""Headers whose check is that of a return or an allocation, on real cores: a thread that makes no other check stops, and is interrupted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from safepoint.emit.choose import choose
from safepoint.emit.header import header
from safepoint.emit.title import no_header
from safepoint.graph.gather import text_of
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Policy
from tests.emit.building import CC, needs_cc
from tests.rules import case

ELSEWHERE = [policy for policy in POLICIES.values() if policy.elsewhere and not no_header(policy)]
PROGRAM = """\
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

struct sp_thread;
extern struct sp_thread *first;
#define SP_EACH_THREAD(t) for (struct sp_thread *t = first; t; t = NULL)
#define SP_WAIT(word, seen) sched_yield()
#define SP_WAKE(word) ((void)(word))
#include "safepoint.h"

struct sp_world sp_world;
static struct sp_thread guest;
struct sp_thread *first = &guest;
static long turns; /* no atomic: who has stopped the world may read it */
static _Atomic long begun;

static void *run(void *unused) {
    ENTER(&guest);
    enum sp_outcome outcome;
    while ((outcome = CHECK(&guest)) == SP_GO) {
        turns++;
        begun = 1;
    }
    printf("%d\\n", outcome == SP_RAISE_INTERRUPT);
    LEAVE(&guest);
    return unused;
}

int main(void) {
    sp_make_thread(&guest, 1000 WORDS, STATE);
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    alarm(SECONDS); /* a request that is lost ends it */
    while (!begun)
        sched_yield();
    int wrong = 0;
    for (int n = 0; n < 300; n++) {
        sp_stop_world();
        long before = turns;
        sched_yield();
        wrong += turns != before;
        sp_start_world();
    }
    printf("%d\\n", wrong);
    fflush(stdout);
    sp_post(&guest, SP_INTERRUPT);
    pthread_join(thread, NULL);
    return 0;
}
"""
BORN = {"ENTER": "sp_start_thread", "LEAVE": "sp_exit_thread", "STATE": "SP_ENDED"}
NATIVE = {"ENTER": "sp_reenter", "LEAVE": "sp_leave", "STATE": "SP_NATIVE"}
"""How a thread begins, and how where the text has no births."""


def ran(directory: Path, policy: Policy, *flags: str, mutant: str = "", seconds: int = 60) -> tuple[int, str, str]:
    """Exit status, output and errors of the program."""
    (directory / "safepoint.h").write_text(header(policy, mutant), encoding="utf-8")
    (directory / "cores.c").write_text(PROGRAM, encoding="utf-8")
    births = "start_thread" in choose(text_of(policy), policy).bodies
    defined = {
        **(BORN if births else NATIVE),
        "CHECK": f"sp_{policy.elsewhere}",
        "WORDS": ", 1" if policy.words else "",
        "SECONDS": str(seconds),
    }
    command = [str(CC), "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread", *flags]
    command += [f"-D{name}={value}" for name, value in defined.items()]
    subprocess.run([*command, "cores.c", "-o", "cores"], cwd=directory, check=True, timeout=60)
    done = subprocess.run([str(directory / "cores")], capture_output=True, text=True, timeout=110, check=False)
    return done.returncode, done.stdout, done.stderr


@needs_cc
@pytest.mark.parametrize("flags", [("-O2",), ("-O1", "-g", "-fsanitize=thread", "-DSP_PORTABLE")], ids=["-O2", "tsan"])
@pytest.mark.parametrize("policy", ELSEWHERE, ids=lambda p: p.name)
def test_its_check_alone_stops_a_thread_and_interrupts_it(
    policy: Policy, flags: tuple[str, ...], tmp_path: Path
) -> None:
    assert ran(tmp_path, policy, *flags) == (0, "0\n1\n", "")


MISTAKES = {"yarv": "checks-at-loops-only", "hotspot": "checks-at-loops-only", "ocaml": "compares-the-real-limit"}
"""Policy to the mistake at that very check."""


@needs_cc
@pytest.mark.parametrize(
    ("policy", "mutant"),
    [case(text_of(POLICIES[name]).mutants[m].rule, f"{name} {m}", POLICIES[name], m) for name, m in MISTAKES.items()],
)
def test_a_check_that_looks_at_nothing_stops_no_thread(policy: Policy, mutant: str, tmp_path: Path) -> None:
    """So the coordinator waits, until the alarm."""
    assert ran(tmp_path, policy, "-O2", mutant=mutant, seconds=1) == (-14, "", "")
