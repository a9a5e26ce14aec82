"""What a header has that is in no line of the text: hooks of the VM's, and the accesses as C11 spells them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from safepoint.emit.accesses import ACCESSES, IF_IT_FAILS, ORDERS, weak
from safepoint.emit.choose import Chosen
from safepoint.emit.prose import comment
from safepoint.graph.ir import OPERANDS
from safepoint.graph.orders import ACQUIRE, RELAXED, SEQ_CST

HOOKS = """\
#if defined __cplusplus || !defined __STDC_VERSION__ || __STDC_VERSION__ < 201112L
#error "safepoint.h is C11: compile it as C, -std=c11 or later; a C++ VM puts one C file around it"
#endif

/* ---------------------------------------- hooks */

/* Define them before the include. */

/* The head of a loop over the records of all threads, `for (struct sp_thread *t = first; ...)`. No
 * record that it may meet is freed meanwhile. A record must be found by it before its thread
 * begins: a thread that a stop has passed over looks for itself when it begins. */
#ifndef SP_EACH_THREAD
#error "define SP_EACH_THREAD(t), the head of a loop over the records of all threads"
#endif

/* Return when *word may hold another value than `seen`; too early does no harm. A futex takes both
 * as they are. SP_WAKE ends such a wait: it comes after each access that may end one, also in a
 * post, so it is async-signal-safe if a signal handler posts. Without both, a wait spins; if
 * SP_WAIT returns by itself, as sched_yield does, define SP_WAKE(word) as ((void)(word)). */
#if defined SP_WAIT != defined SP_WAKE
#error "define SP_WAIT and SP_WAKE, or neither: a wait in SP_WAIT ends by SP_WAKE alone"
#endif
#ifndef SP_WAIT
#define SP_WAIT(word, seen) ((void)(word), (void)(seen))
#define SP_WAKE(word) ((void)(word))
#endif

/* Of what sp_make_thread is given. */
#ifndef SP_ASSERT
#include <assert.h>
#define SP_ASSERT(holds) assert(holds)
#endif

/* Between two looks of a loop that waits for two words at once. */
#ifndef SP_RELAX
#define SP_RELAX() ((void)0)
#endif
"""
OPERATION = """\

/* A handshake's operation on thread t: run by t at a check, or by its requester while t is outside
 * guest code. */
#ifndef SP_OPERATION
#define SP_OPERATION(t) ((void)(t))
#endif
"""
SAMPLED = """\

/* Thread t has taken SP_SAMPLE, and calls this at the check: what a sample is, the VM knows. */
#ifndef SP_SAMPLED
#define SP_SAMPLED(t) ((void)(t))
#endif
"""
TRACE = """\

/* For a trace (docs/trace.md): SP_BEFORE() comes before each access, and after one that is an event
 * SP_EVENT(kind, thread, detail). kind: a name of `enum sp_event` without its prefix. thread: to
 * whom it is done, NULL for the world. detail: requests, a trigger word, or the site of a check. */
#ifndef SP_BEFORE
#define SP_BEFORE() ((void)0)
#endif
#ifndef SP_EVENT
#define SP_EVENT(kind, thread, detail) ((void)(thread), (void)(detail))
#endif
"""
FENCE = """\

/* Every other thread's stores so far become visible: on Linux `membarrier` with
 * MEMBARRIER_CMD_PRIVATE_EXPEDITED. */
#if SP_MEMBARRIER && !defined SP_FENCE_OTHERS
#error "SP_MEMBARRIER needs SP_FENCE_OTHERS()"
#endif
"""
COMPILER = """\
/* ---------------------------------------- compilers */

/* A line of Apple's processors, two of x86-64, which fetches pairs of them. */
#ifndef SP_LINE
#define SP_LINE 128
#endif
#define SP_ALIGNED _Alignas(SP_LINE)
/* SP_RESULT: an outcome is not thrown away; what it says is raised nowhere else. */
#if defined __GNUC__
#define SP_RESULT __attribute__((warn_unused_result))
#define SP_UNLIKELY(test) __builtin_expect(!!(test), 0)
#define SP_COLD static __attribute__((noinline, cold, unused))
#else
#define SP_RESULT
#define SP_UNLIKELY(test) (test)
#define SP_COLD static inline
#endif
"""
CAS = """\
static inline bool sp_cas(_Atomic uint32_t *word, uint32_t old, uint32_t value)
{
    SP_BEFORE();
    return atomic_compare_exchange_strong_explicit(word, &old, value, memory_order_seq_cst,
                                                   IF_IT_FAILS);
}

static inline bool sp_cas_trigger(_Atomic uintptr_t *word, uintptr_t old, uintptr_t value)
{
    SP_BEFORE();
    return atomic_compare_exchange_strong_explicit(word, &old, value, memory_order_seq_cst,
                                                   IF_IT_FAILS);
}

/* The same for a loop that waits: if it fails, *seen is what the word holds. */
static inline bool sp_claim(
    _Atomic uint32_t *word, uint32_t old, uint32_t value, uint32_t *seen)
{
    SP_BEFORE();
    *seen = old;
    return atomic_compare_exchange_strong_explicit(word, seen, value, memory_order_seq_cst,
                                                   IF_IT_FAILS);
}
"""
SEQ = f"memory_order_{SEQ_CST}"
COMPARE = """\
/* The fast path's comparisons of a trigger word. gcc folds no atomic load into a comparison; here
 * it is one instruction, which is an acquire, as each load of x86-64. SP_PORTABLE: C alone, which
 * ThreadSanitizer needs to see the access. */
#if defined __x86_64__ && defined __LP64__ && defined __GCC_ASM_FLAG_OUTPUTS__ && \\
    !defined SP_PORTABLE
static inline bool sp_below(_Atomic uintptr_t *word, uintptr_t value)
{
    bool below;
    SP_BEFORE();
    __asm__ volatile("cmpq %[value], %[word]"
                     : "=@ccb"(below)
                     : [value] "er"(value), [word] "m"(*word)
                     : "memory");
    return below;
}

static inline bool sp_equals(_Atomic uintptr_t *word, uintptr_t value)
{
    bool equals;
    SP_BEFORE();
    __asm__ volatile("cmpq %[value], %[word]"
                     : "=@cce"(equals)
                     : [value] "er"(value), [word] "m"(*word)
                     : "memory");
    return equals;
}
#else
static inline bool sp_below(_Atomic uintptr_t *word, uintptr_t value)
{
    return sp_load_acquire(word) < value;
}

static inline bool sp_equals(_Atomic uintptr_t *word, uintptr_t value)
{
    return sp_load_acquire(word) == value;
}
#endif
"""
HEAP_LIMIT = """\
/* Owner only: t allocates up to `limit` from now on, as with a new buffer or after a collection;
 * without a buffer `limit` is below every object, and never the poison. A limit that is poisoned
 * stays so, as LIMIT-KEEPS-POISON has it of the stack; the text itself never moves this one. */
static inline void sp_set_heap_limit(struct sp_thread *t, uintptr_t limit)
{
    uintptr_t before = t->heap_limit_real;
    SP_ASSERT(limit != SP_HEAP_LIMIT_POISON); /* or every check is slow */
    t->heap_limit_real = limit;
    sp_cas_trigger(&t->heap_limit, before, limit);
}
"""
"""What the allocator of a VM needs that checks at allocations."""


def hooks(chosen: Chosen) -> Iterator[str]:
    """What the VM may or must define."""
    yield HOOKS.rstrip("\n")
    if "operate" in chosen.bodies:
        yield OPERATION.rstrip("\n")
    yield SAMPLED.rstrip("\n")
    yield TRACE.rstrip("\n")
    for variant in chosen.switches:
        if variant not in chosen.variants:
            yield f"#if defined SP_{variant.upper()} && SP_{variant.upper()} + 0"
            yield f'#error "SP_{variant.upper()}: the text of this policy is not written for it (folded is)"'
            yield "#endif"
    if chosen.variants:
        yield ""
        yield from comment(
            ["Variants of the protocol, each a rule more: define one as 1. They are explored one at a time."]
        )
        for variant in chosen.variants:
            yield f"#ifndef SP_{variant.upper()}"
            yield f"#define SP_{variant.upper()} 0"
            yield "#endif"
        yield f"#if {' + '.join(f'SP_{v.upper()}' for v in chosen.variants)} > 1"
        yield '#error "two variants at once: whether they go together was not explored"'
        yield "#endif"
    if "membarrier" in chosen.variants:
        yield FENCE.rstrip("\n")


def accesses(body: str) -> Iterator[str]:
    """The accesses that this C makes and that are one call of C11, each with its order."""
    weaker = {
        one.with_order(order): (op, one, order) for op, one in ACCESSES.items() for order in ORDERS if one.function
    }
    made = weaker | {one.name: (op, one, one.order) for op, one in ACCESSES.items() if one.function}
    for name, (op, one, order) in sorted(made.items(), key=lambda each: [*ACCESSES].index(each[1][0])):
        if f"{name}(" in body:
            value, put = (", value", ", (value)") if OPERANDS[op] else ("", "")
            yield f"/* {one.what if order == one.order else f'{op}, with a weaker order than the text has'} */"
            yield f"#define {name}(word{value}) \\"
            yield f"    (SP_BEFORE(), {one.function}((word){put}, memory_order_{order}))"


def functions(body: str) -> Iterator[str]:
    """The accesses that this C makes and that have a function of the header's own, each with its order."""
    for part in CAS.rstrip("\n").split("\n\n"):
        name = re.findall(r"(sp_\w+)\(", part)[0]
        for order in ORDERS:
            if f"{weak(name, order)}(" in body:
                fails = f"memory_order_{IF_IT_FAILS.get(order, order)}"
                yield (
                    part.replace(f"{name}(", f"{weak(name, order)}(")
                    .replace(SEQ, f"memory_order_{order}")
                    .replace("IF_IT_FAILS", fails)
                )
    for order in (ACQUIRE, RELAXED):
        used = [weak(name, order, ACQUIRE) for name in ("sp_below", "sp_equals")]
        if any(f"{name}(" in body for name in used):
            said = COMPARE.rstrip("\n")
            for name, own in zip(("sp_below", "sp_equals"), used, strict=True):
                said = said.replace(f"{name}(", f"{own}(")
            yield said.replace("sp_load_acquire", f"sp_load_{order}")
