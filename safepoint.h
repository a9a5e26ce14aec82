/* safepoint.h: the safepoint protocol in C11, policy folded: frame push on the poisoned limit,
 * back-edge on the dispatch table: no instruction for either.
 *
 * Made by `safepoint emit --c -p folded` from the text that the explorer explores, a function
 * for each of its procedures, each access with the order that it was explored with. Make it anew
 * rather than change it. Declared bound, in checks from a complete post to the one that notices
 * it: frames 1, back-edges 1.
 *
 * The owner of a record is the thread that runs guest code with it. Its own are the checks,
 * leaving and coming back, masks, sleep, birth and end. Who posts, asks for a handshake, stops
 * or starts the world is a requester; a guest thread that stops the world, or asks for a
 * handshake, does so by the functions that end in `_from`.
 *
 * `sp_post` waits for nothing and is made of lock-free accesses: a signal handler may call it,
 * also on the thread that it interrupts, if it may call SP_WAKE. A stack grows upward: `end` is
 * where the new frame ends, and must not wrap; where it grows downward, hand in `limit` and
 * `end` negated. Headroom for native code that checks nothing is the VM's: it lies above the
 * limit.
 *
 * Not here, because it is the VM's own:
 *   threads       how a thread is made, where its record stands, and when it is freed: hold it,
 *                 or never free it
 *   long work     how much of it an instruction does between two checks
 *   sleep         SP_WAIT and SP_WAKE; without them who waits spins
 *   fork          the child has one thread, and a copy of every word: make the records anew
 *
 * The rules that it implements; `safepoint rules ID` says what breaks without:
 *   POST-BEFORE-POISON      A requester MUST set the pending bit before it poisons the first
 *                           trigger word.
 *   POST-IS-LOCKED          A requester MUST set its bit with an atomic read-modify-write.
 *   POST-WAKES              A requester MUST wake a target that sleeps, after it has posted.
 *   POISON-EVERY-WORD       A requester MUST poison every trigger word of the target, not only
 *                           the one it expects to be read next.
 *   ONE-COORDINATOR         A coordinator MUST hold the world's lock from before its stop is
 *                           published until after it has ended.
 *   STOP-BEFORE-POST        A coordinator MUST set the stop word before it posts STOP to the
 *                           first thread.
 *   STOP-AWAITS-ALL         A coordinator MUST have seen every thread outside guest code, after
 *                           its post, before it relies on the stop.
 *   START-BEFORE-UNLOCK     A coordinator MUST clear the stop word before it releases the
 *                           world's lock.
 *   OWNER-RESTORES          The owner MUST make every trigger word real again on each way
 *                           through the slow path, and no other thread may.
 *   STOP-ENDS               A coordinator MUST clear the stop word when it has done what it
 *                           stopped the world for.
 *   RESTORE-BEFORE-TAKE     The owner MUST restore every trigger word before it takes the
 *                           pending bits.
 *   TAKE-IS-LOCKED          The owner MUST take pending bits with one atomic read-modify-write.
 *   TAKE-IS-A-BARRIER       The restore of the trigger words MUST be visible to others before
 *                           the pending bits are read, also when there are none.
 *   TAKEN-IS-SERVED         The owner MUST answer every bit it took, or put it back, also when
 *                           the check failed for a real overflow as well.
 *   GIVEN-BACK-IS-POISONED  An owner that puts a taken bit back MUST poison its own trigger
 *                           words after that.
 *   REAL-LIMIT-DECIDES      A push whose check failed MUST, after the requests are served, be
 *                           decided by the real limit and by it alone.
 *   SPURIOUS-IS-NOTHING     An owner that finds neither a request nor a real overflow MUST go on
 *                           as if the check had passed.
 *   STOP-PARKS              A thread that takes STOP MUST leave the managed state until the stop
 *                           word is clear.
 *   REENTER-LOOKS-AGAIN     A thread that returns to guest code, also from a park, MUST read the
 *                           stop word after it has published that it is managed.
 *   REENTER-IS-A-BARRIER    The store that says managed MUST be visible to others before the
 *                           stop word is read.
 *   MASKED-STAYS            The owner MUST leave bits that it may not deliver yet in the pending
 *                           word.
 *   UNMASK-LOOKS            A thread that unmasks a kind MUST look at the pending bits after
 *                           that, and serve what has become deliverable.
 *   TERMINATE-ONCE          A thread that unwinds after TERMINATE MUST keep a further TERMINATE
 *                           pending until it has unwound.
 *   HANDSHAKE-ONCE          A thread that runs a handshake's operation MUST first have claimed
 *                           it with one atomic operation that can succeed once.
 *   CLAIM-LOOKS-AGAIN       A requester that has claimed an operation MUST see the target
 *                           outside guest code after the claim, or give the claim back.
 *   BACK-OFF-POSTS-AGAIN    A requester that gives a claim back MUST post again after that.
 *   HANDSHAKE-IS-ALONE      A thread that returns to guest code MUST wait until no operation is
 *                           being run for it.
 *   BLOCK-LOOKS-AGAIN       A thread that is about to sleep MUST look at the pending bits after
 *                           it has made itself wakeable.
 *   BLOCK-IS-A-BARRIER      What makes the thread wakeable MUST be visible to others before the
 *                           pending bits are read.
 *   LIMIT-KEEPS-POISON      A thread that changes its real limit MUST change the visible one
 *                           only if it is not poisoned, in one atomic operation.
 *   COORDINATOR-IS-OUTSIDE  A guest thread that stops the world MUST be outside guest code from
 *                           before it waits for its turn until after its stop has ended.
 *   BIRTH-IS-CLEAN          A thread that begins MUST drop what was pending for the thread whose
 *                           place it takes.
 *   BIRTH-OWES-HANDSHAKE    A new thread that clears a HANDSHAKE bit inherited with its record
 *                           MUST serve that operation: its requester is still waiting.
 *   BIRTH-REENTERS          A thread that begins MUST enter guest code as one that returns from
 *                           native code does.
 *   POST-NEVER-WAITS        A post MUST NOT wait for anything: a signal handler makes it between
 *                           any two steps of the thread that it is for.
 *   LONG-WORK-POLLS         An instruction that does more than a stated amount of work in guest
 *                           code MUST execute a check after each such amount, at a point from
 *                           which it can go on whatever the check has served.
 *   STOP-IS-EXCLUSIVE       Where a stop must have the world for itself, a requester MUST see
 *                           the world not stopped after it has claimed an operation, and a
 *                           coordinator MUST wait for what has been claimed.
 *   HELD-RUNS-FIRST         Where stops are to be fair, a coordinator MUST NOT publish a stop
 *                           before each thread that the last one held has left it.
 *   GIVING-UP-STARTS        A coordinator that gives up MUST clear the stop word, then release
 *                           the lock, and leave alone what it has posted.
 *   STOPS-ARE-COUNTED       A coordinator that holds the stop MUST NOT stop the world again, nor
 *                           start it before its outermost stop ends: it counts.
 *   OWN-OPERATION-PASSES    A thread that runs an operation on itself MUST NOT wait for that
 *                           operation when it comes back to guest code in the midst of it.
 *   ASKER-IS-OUTSIDE        A guest thread that asks for an operation MUST be outside guest code
 *                           from before it asks until the operation has been run.
 *   WAKE-IS-A-SITE          A thread that guest code has sent to sleep MUST look at the pending
 *                           bits when it has come back, and raise what it finds.
 *   REQUESTER-IS-A-BARRIER  Where threads return to guest code without a barrier, a requester
 *                           MUST make every thread's stores visible after it has published its
 *                           stop, or its claim, and before it looks at a state.
 *   RECORD-IS-HELD          A requester MUST hold a thread's record from before it sees the
 *                           thread alive until its post is complete; a record that is held MUST
 *                           NOT be used again.
 *   END-IS-A-BARRIER        That a thread has ended MUST be visible to others before any
 *                           requester reads whether its record is held.
 */
#ifndef SAFEPOINT_FOLDED_H
#define SAFEPOINT_FOLDED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
 * post, so it is async-signal-safe if a signal handler posts. Without both, who waits spins. */
#ifndef SP_WAIT
#define SP_WAIT(word, seen) ((void)(word), (void)(seen))
#endif
#ifndef SP_WAKE
#define SP_WAKE(word) ((void)(word))
#endif

/* Between two looks of a loop that waits for two words at once. */
#ifndef SP_RELAX
#define SP_RELAX() ((void)0)
#endif

/* A handshake's operation on thread t: run by t at a check, or by its requester while t is outside
 * guest code. */
#ifndef SP_OPERATION
#define SP_OPERATION(t) ((void)(t))
#endif

/* For a trace (docs/trace.md): SP_BEFORE() comes before each access, and after one that is an event
 * SP_EVENT(kind, thread, detail). kind: a name of `enum sp_event` without its prefix. thread: to
 * whom it is done, NULL for the world. detail: requests, a trigger word, or the site of a check. */
#ifndef SP_BEFORE
#define SP_BEFORE() ((void)0)
#endif
#ifndef SP_EVENT
#define SP_EVENT(kind, thread, detail) ((void)(thread), (void)(detail))
#endif

/* Variants of the protocol, each a rule more: define one as 1. They are explored one at a time. */
#ifndef SP_MEMBARRIER
#define SP_MEMBARRIER 0
#endif
#ifndef SP_LEAVING
#define SP_LEAVING 0
#endif
#ifndef SP_EXCLUSIVE
#define SP_EXCLUSIVE 0
#endif
#ifndef SP_FAIRNESS
#define SP_FAIRNESS 0
#endif
#if SP_MEMBARRIER + SP_LEAVING + SP_EXCLUSIVE + SP_FAIRNESS > 1
#error "two variants at once: whether they go together was not explored"
#endif

/* Every other thread's stores so far become visible: on Linux `membarrier` with
 * MEMBARRIER_CMD_PRIVATE_EXPEDITED. */
#if SP_MEMBARRIER && !defined SP_FENCE_OTHERS
#error "SP_MEMBARRIER needs SP_FENCE_OTHERS()"
#endif

/* ---------------------------------------- compilers */

#define SP_LINE 64 /* bytes of a cache line */
#define SP_ALIGNED _Alignas(SP_LINE)
#if defined __GNUC__
#define SP_UNLIKELY(test) __builtin_expect(!!(test), 0)
#define SP_COLD static __attribute__((noinline, cold, unused))
#else
#define SP_UNLIKELY(test) (test)
#define SP_COLD static inline
#endif

/* ---------------------------------------- words */

/* Kinds of request: bits of Thread.pending. */
enum { SP_STOP = 1, SP_HANDSHAKE = 2, SP_INTERRUPT = 4, SP_SAMPLE = 8, SP_TERMINATE = 16 };
/* Values of Thread.state. */
enum { SP_MANAGED = 0, SP_NATIVE = 1, SP_PARKED = 2, SP_ENDED = 3 };
/* Values of Thread.operation. */
enum { SP_NOTHING = 0, SP_ASKED = 1, SP_RUNNING = 2, SP_OWN = 3 };
/* Outcomes: what a check site tells the guest to do. */
enum sp_outcome {
    SP_GO = 0, SP_RAISE_INTERRUPT = 1, SP_RAISE_OVERFLOW = 2, SP_RAISE_TERMINATE = 3
};
enum { SP_EVERYTHING = 31 };

/* What a poisoned word holds: below every stack address. In a row it may be the address of the
 * handler that calls `sp_slow_path`. */
#define SP_LIMIT_POISON ((uintptr_t)0)
#ifndef SP_ENTRY_POISON
#define SP_ENTRY_POISON ((uintptr_t)0)
#endif
#ifndef SP_ENTRY_WORDS
#define SP_ENTRY_WORDS 1 /* opcodes that jump backward */
#endif

struct sp_thread {
    /* -- What the checks read; requesters write here only to poison. */
    /* a frame push compares the new frame's end with it */
    SP_ALIGNED _Atomic uintptr_t limit;
    /* a back-edge is dispatched through it: one for each opcode that jumps backward */
    _Atomic uintptr_t entry[SP_ENTRY_WORDS];

    /* -- What requesters write. */
    /* requests that the owner has not taken yet (trigger bits_in_limit: bits of the limit
     * instead) */
    SP_ALIGNED _Atomic uint32_t pending;
    /* a handshake: nothing, asked for, being run by a requester, or by the owner */
    _Atomic uint32_t operation;
    /* 1: a requester is about to post to it, and its record is not used again (where records
     * are) */
    _Atomic uint32_t holders;
    /* set by a post, for a thread that blocks */
    _Atomic uint32_t wake;

    /* -- What only the owner writes, and others read. */
    /* in guest code, native, parked, or ended */
    SP_ALIGNED _Atomic uint32_t state;
    /* 1: a stop holds it, and the next one waits until it has run (where stops are fair) */
    _Atomic uint32_t parked;

    /* -- What only the owner touches. */
    /* what limit holds when it is not poisoned; never changes */
    SP_ALIGNED uintptr_t limit_real;
    /* what entry holds when it is not poisoned; never changes */
    uintptr_t entry_real[SP_ENTRY_WORDS];
    /* by how much the stack has grown since the thread began */
    uintptr_t extra;
    uint32_t masked;                                    /* kinds that stay pending for now */
    /* TERMINATE once it has been raised: a second one waits until the first has unwound */
    uint32_t ending;
    /* stops that it holds, one inside the other */
    uint32_t stops;
};

#define SP_APART(one, other)                                                       \
    _Static_assert(offsetof(struct sp_thread, other) % SP_LINE == 0 &&              \
                       offsetof(struct sp_thread, other) / SP_LINE >                \
                           offsetof(struct sp_thread, one) / SP_LINE,               \
                   #one " and " #other " share a cache line")
_Static_assert(offsetof(struct sp_thread, limit) == 0, "the checks read the record's first line");
SP_APART(entry, pending);
SP_APART(wake, state);
SP_APART(parked, limit_real);
_Static_assert(sizeof(struct sp_thread) % SP_LINE == 0, "two records share no cache line");

struct sp_world {
    /* 1: the world is stopped, or about to be */
    SP_ALIGNED _Atomic uint32_t stop;
    _Atomic uint32_t lock;                              /* one coordinator at a time */
};

extern struct sp_world sp_world; /* the VM defines it: all zero */

/* Events of a trace. RETURNED is `resumed`, `native-left` or `spawned`, by where the thread was;
 * MASKED and UNMASKED are events if they change anything. */
enum sp_event {
    SP_EVENT_BLOCKED,
    SP_EVENT_CLEARED,
    SP_EVENT_ENTERED,
    SP_EVENT_EXITED,
    SP_EVENT_HANDSHAKE_ASKED,
    SP_EVENT_HANDSHAKE_BACKED_OFF,
    SP_EVENT_HANDSHAKE_CLAIMED,
    SP_EVENT_HANDSHAKE_DONE,
    SP_EVENT_HANDSHAKE_RUN,
    SP_EVENT_LOCKED,
    SP_EVENT_LOOPED,
    SP_EVENT_MASKED,
    SP_EVENT_NATIVE_ENTERED,
    SP_EVENT_PARKED,
    SP_EVENT_POISONED,
    SP_EVENT_POSTED,
    SP_EVENT_PUSHED,
    SP_EVENT_RESTORED,
    SP_EVENT_SERVED,
    SP_EVENT_STOP_REACHED,
    SP_EVENT_STOP_RELEASED,
    SP_EVENT_STOP_REQUESTED,
    SP_EVENT_TOOK,
    SP_EVENT_UNLOCKED,
    SP_EVENT_UNMASKED,
    SP_EVENT_WOKEN,
    SP_EVENT_RETURNED,
};
/* The site of a check; of a back-edge plus the index of its word. The trigger word; of a row
 * plus its index. */
enum { SP_AT_PUSH = 0, SP_AT_BACK_EDGE = 64, SP_AT_LOOK = 128 };
enum { SP_WORD_LIMIT, SP_WORD_ENTRY };

/* ---------------------------------------- accesses, each with its memory order */

/* load() */
#define sp_load_acquire(word) \
    (SP_BEFORE(), atomic_load_explicit((word), memory_order_acquire))
/* look(): it passes nothing that its thread has published */
#define sp_load_seq_cst(word) \
    (SP_BEFORE(), atomic_load_explicit((word), memory_order_seq_cst))
/* store() */
#define sp_store_release(word, value) \
    (SP_BEFORE(), atomic_store_explicit((word), (value), memory_order_release))
/* publish(): seen before its thread looks at anything */
#define sp_store_seq_cst(word, value) \
    (SP_BEFORE(), atomic_store_explicit((word), (value), memory_order_seq_cst))
/* fetch_or(), locked: the old value */
#define sp_fetch_or(word, value) \
    (SP_BEFORE(), atomic_fetch_or_explicit((word), (value), memory_order_seq_cst))
/* fetch_and(), locked: the old value */
#define sp_fetch_and(word, value) \
    (SP_BEFORE(), atomic_fetch_and_explicit((word), (value), memory_order_seq_cst))
/* swap(), locked: the old value */
#define sp_swap(word, value) \
    (SP_BEFORE(), atomic_exchange_explicit((word), (value), memory_order_seq_cst))

static inline bool sp_cas(_Atomic uint32_t *word, uint32_t old, uint32_t value)
{
    SP_BEFORE();
    return atomic_compare_exchange_strong_explicit(word, &old, value, memory_order_seq_cst,
                                                   memory_order_seq_cst);
}

static inline bool sp_cas_trigger(_Atomic uintptr_t *word, uintptr_t old, uintptr_t value)
{
    SP_BEFORE();
    return atomic_compare_exchange_strong_explicit(word, &old, value, memory_order_seq_cst,
                                                   memory_order_seq_cst);
}

/* The same for a loop that waits: if it fails, *seen is what the word holds. */
static inline bool sp_claim(_Atomic uint32_t *word, uint32_t old, uint32_t value,
                            uint32_t *seen)
{
    SP_BEFORE();
    *seen = old;
    return atomic_compare_exchange_strong_explicit(word, seen, value, memory_order_seq_cst,
                                                   memory_order_seq_cst);
}

/* The fast path's comparisons of a trigger word. gcc folds no atomic load into a comparison; here
 * it is one instruction, which is an acquire, as each load of x86-64. SP_PORTABLE: C alone, which
 * ThreadSanitizer needs to see the access. */
#if defined __x86_64__ && defined __GCC_ASM_FLAG_OUTPUTS__ && !defined SP_PORTABLE
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

/* ---------------------------------------- what there is to call */

static inline uint32_t sp_deliverable(struct sp_thread *t);
static inline uintptr_t sp_real_limit(struct sp_thread *t);
static inline void sp_post(struct sp_thread *t, uint32_t kind);
static inline void sp_awaken(struct sp_thread *t);
static inline void sp_ask(struct sp_thread *t, uint32_t kind);
static inline void sp_add_pending(struct sp_thread *t, uint32_t kind);
static inline void sp_stop_world(void);
static inline void sp_request_stop(void);
static inline void sp_start_world(void);
static inline void sp_handshake(struct sp_thread *t);
static inline void sp_finish_handshake(struct sp_thread *t);
static inline void sp_operate(struct sp_thread *t);
SP_COLD enum sp_outcome sp_slow_path(struct sp_thread *t);
static inline uint32_t sp_take_pending(struct sp_thread *t);
static inline uint32_t sp_look_pending(struct sp_thread *t);
static inline enum sp_outcome sp_serve(struct sp_thread *t, uint32_t bits);
static inline void sp_give_back(struct sp_thread *t, uint32_t bits);
static inline void sp_own_handshake(struct sp_thread *t);
static inline void sp_park(struct sp_thread *t);
static inline void sp_leave(struct sp_thread *t);
static inline void sp_reenter(struct sp_thread *t);
SP_COLD enum sp_outcome sp_push_failed(struct sp_thread *t, uintptr_t end);
static inline enum sp_outcome sp_decide_push(struct sp_thread *t, uintptr_t end);
static inline enum sp_outcome sp_poll(struct sp_thread *t, unsigned word);
static inline enum sp_outcome sp_frame_push(struct sp_thread *t, uintptr_t end);
static inline enum sp_outcome sp_back_edge(struct sp_thread *t, unsigned word);
static inline void sp_add(struct sp_thread *t, uint32_t kind);
static inline void sp_poison(struct sp_thread *t);
static inline void sp_restore(struct sp_thread *t);
static inline uint32_t sp_take(struct sp_thread *t);
static inline uint32_t sp_look(struct sp_thread *t);
static inline uint32_t sp_mask(struct sp_thread *t);
static inline enum sp_outcome sp_unmask(struct sp_thread *t);
static inline enum sp_outcome sp_unwound(struct sp_thread *t);
static inline enum sp_outcome sp_look_again(struct sp_thread *t);
static inline void sp_block(struct sp_thread *t);
static inline enum sp_outcome sp_woken(struct sp_thread *t);
static inline void sp_grow_stack(struct sp_thread *t, uintptr_t extra);
static inline void sp_stop_world_from(struct sp_thread *t);
static inline void sp_start_world_from(struct sp_thread *t);
static inline void sp_exit_thread(struct sp_thread *t);
static inline void sp_start_thread(struct sp_thread *t);
static inline void sp_give_up(void);
static inline void sp_stop_world_nested(struct sp_thread *t);
static inline void sp_start_world_nested(struct sp_thread *t);
static inline void sp_handshake_from(struct sp_thread *t, struct sp_thread *target);
static inline bool sp_hold_record(struct sp_thread *t);
static inline void sp_let_go_of_record(struct sp_thread *t);
static inline void sp_await_holders(struct sp_thread *t);

/* Parts of those that go round; true: round again. */
static inline bool sp_run_for_once(struct sp_thread *t);
static inline bool sp_back_off_once(struct sp_thread *t);
static inline bool sp_park_once(struct sp_thread *t);
#if SP_MEMBARRIER
static inline void sp_fence_stop(void);
static inline void sp_fence_claim(void);
#endif
#if SP_EXCLUSIVE
static inline void sp_await_operations(void);
#endif
#if SP_FAIRNESS
static inline void sp_await_held(void);
#endif

/* Make a record ready, before any other thread can find it: every word real, nothing asked.
 * `state`: SP_ENDED for one in which a thread is yet to begin; SP_MANAGED for the thread that
 * calls, if it runs guest code already; SP_NATIVE if it does not. */
static inline void sp_make_thread(
    struct sp_thread *t, uintptr_t limit, const uintptr_t entry[SP_ENTRY_WORDS], uint32_t state)
{
    t->limit_real = limit;
    atomic_init(&t->limit, limit);
    for (unsigned i = 0; i < SP_ENTRY_WORDS; i++) {
        t->entry_real[i] = entry[i];
        atomic_init(&t->entry[i], entry[i]);
    }
    atomic_init(&t->pending, 0);
    atomic_init(&t->state, state);
    atomic_init(&t->operation, 0);
    atomic_init(&t->holders, 0);
    atomic_init(&t->parked, 0);
    atomic_init(&t->wake, 0);
    t->extra = 0;
    t->masked = 0;
    t->ending = 0;
    t->stops = 0;
}

/* ---------------------------------------- words */

static inline uint32_t sp_deliverable(struct sp_thread *t)
{
    return SP_EVERYTHING & ~(t->masked | t->ending);    /* MASKED-STAYS */
}

static inline uintptr_t sp_real_limit(struct sp_thread *t)
{
    return t->limit_real + t->extra;
}

/* ---------------------------------------- requester */

/* Ask thread t for something: say why first, then make every check of t fail, then wake it in
 * case it sleeps. */
static inline void sp_post(struct sp_thread *t, uint32_t kind)
{
    sp_ask(t, kind);                                    /* POST-BEFORE-POISON, POST-NEVER-WAITS */
    sp_poison(t);
    sp_awaken(t);                                       /* POST-WAKES */
}

/* End t's sleep, if it sleeps. A host calls this when what t sleeps for is there. */
static inline void sp_awaken(struct sp_thread *t)
{
    /* POST-WAKES: the last word on it, if t publishes that it will sleep */
    sp_store_seq_cst(&t->wake, 1);
    SP_EVENT(WOKEN, t, 0);
    SP_WAKE(&t->wake);
}

static inline void sp_ask(struct sp_thread *t, uint32_t kind)
{
    sp_add(t, kind);
    SP_EVENT(POSTED, t, kind);
}

/* `sp_add` of triggers that have their pending bits in a word of their own. */
static inline void sp_add_pending(struct sp_thread *t, uint32_t kind)
{
    sp_fetch_or(&t->pending, kind);                     /* POST-IS-LOCKED */
}

/* When this returns, no thread runs guest code until `sp_start_world`. */
static inline void sp_stop_world(void)
{
    sp_request_stop();
#if SP_MEMBARRIER
    sp_fence_stop();
#endif
    SP_EACH_THREAD(t) {
        /* STOP-AWAITS-ALL */
        for (uint32_t seen; (seen = sp_load_seq_cst(&t->state)) == SP_MANAGED;) {
            SP_WAIT(&t->state, seen);
        }
    }
#if SP_EXCLUSIVE
    sp_await_operations();
#endif
    SP_EVENT(STOP_REACHED, NULL, 0);
}

/* From here on every thread stops, sooner or later, and none begins to run guest code. */
static inline void sp_request_stop(void)
{
    for (uint32_t seen; !sp_claim(&sp_world.lock, 0, 1, &seen);) {  /* ONE-COORDINATOR */
        SP_WAIT(&sp_world.lock, seen);
    }
    SP_EVENT(LOCKED, NULL, 0);
#if SP_FAIRNESS
    sp_await_held();
#endif
    sp_store_seq_cst(&sp_world.stop, 1);                /* STOP-BEFORE-POST */
    SP_EVENT(STOP_REQUESTED, NULL, 0);
    SP_EACH_THREAD(t) {
        sp_post(t, SP_STOP);
    }
}

static inline void sp_start_world(void)
{
    sp_store_release(&sp_world.stop, 0);                /* START-BEFORE-UNLOCK, STOP-ENDS */
    SP_EVENT(STOP_RELEASED, NULL, 0);
    SP_WAKE(&sp_world.stop);
    sp_store_release(&sp_world.lock, 0);
    SP_EVENT(UNLOCKED, NULL, 0);
    SP_WAKE(&sp_world.lock);
}

/* One operation on thread t, exactly once: by t at a check site, or by the requester while t is
 * outside guest code. */
static inline void sp_handshake(struct sp_thread *t)
{
    /* one outstanding operation per target; other requesters wait on this CAS */
    for (uint32_t seen; !sp_claim(&t->operation, SP_NOTHING, SP_ASKED, &seen);) {
        SP_WAIT(&t->operation, seen);
    }
    SP_EVENT(HANDSHAKE_ASKED, t, SP_HANDSHAKE);
    sp_post(t, SP_HANDSHAKE);
    sp_finish_handshake(t);
}

static inline void sp_finish_handshake(struct sp_thread *t)
{
    for (;;) {
        uint32_t now = sp_load_acquire(&t->operation);
        if (now == SP_NOTHING) {
            return;
        }
        if (now == SP_ASKED) {
            uint32_t outside = sp_load_acquire(&t->state);
            if (outside != SP_MANAGED) {
                bool claimed = sp_cas(&t->operation, SP_ASKED, SP_RUNNING);  /* HANDSHAKE-ONCE */
                if (claimed) {
                    SP_EVENT(HANDSHAKE_CLAIMED, t, 0);
                    if (sp_run_for_once(t)) {
                        continue;
                    }
                    return;
                }
            }
        }
        SP_RELAX();
    }
}

/* The requester has claimed the operation; t may have come back meanwhile: it reads `operation`
 * after it has published MANAGED.
 *
 * True: sp_finish_handshake goes on. */
static inline bool sp_run_for_once(struct sp_thread *t)
{
#if SP_MEMBARRIER
    sp_fence_claim();
#endif
    uint32_t state = sp_load_seq_cst(&t->state);        /* CLAIM-LOOKS-AGAIN */
    if (state == SP_MANAGED) {
        return sp_back_off_once(t);
    }
#if SP_EXCLUSIVE
    uint32_t stopped = sp_load_seq_cst(&sp_world.stop);
    /* STOP-IS-EXCLUSIVE: `sp_await_operations` has the other half */
    if (stopped == 1) {
        return sp_back_off_once(t);
    }
#endif
    sp_operate(t);
    sp_store_release(&t->operation, SP_NOTHING);
    SP_EVENT(HANDSHAKE_DONE, t, 0);
    SP_WAKE(&t->operation);
    return false;
}

/* Give the claim back, and try again.
 *
 * True: sp_finish_handshake goes on. */
static inline bool sp_back_off_once(struct sp_thread *t)
{
    sp_store_release(&t->operation, SP_ASKED);
    SP_EVENT(HANDSHAKE_BACKED_OFF, t, 0);
    SP_WAKE(&t->operation);
    /* BACK-OFF-POSTS-AGAIN: t may have found nothing meanwhile */
    sp_post(t, SP_HANDSHAKE);
    return true;
}

/* The operation itself: only the thread that claimed it runs it, and t runs no guest code
 * meanwhile. */
static inline void sp_operate(struct sp_thread *t)
{
    SP_BEFORE();
    /* stands for it: whatever the operation looks at */
    SP_OPERATION(t);
    SP_EVENT(HANDSHAKE_RUN, t, SP_HANDSHAKE);
}

/* ---------------------------------------- owner */

/* A check of t failed: a request, a real overflow, both, or neither. Restore every word, then
 * take. */
SP_COLD enum sp_outcome sp_slow_path(struct sp_thread *t)
{
    /* RESTORE-BEFORE-TAKE: all of them, whichever failed */
    sp_restore(t);
    uint32_t bits = sp_take(t);
    return sp_serve(t, bits);
}

/* `sp_take` of triggers that have their pending bits in a word of their own. */
static inline uint32_t sp_take_pending(struct sp_thread *t)
{
    /* TAKE-IS-LOCKED, TAKE-IS-A-BARRIER */
    uint32_t bits = sp_fetch_and(&t->pending, ~sp_deliverable(t));
    bits = bits & sp_deliverable(t);
    SP_EVENT(TOOK, t, bits);
    return bits;
}

/* `sp_look` of triggers that have their pending bits in a word of their own. */
static inline uint32_t sp_look_pending(struct sp_thread *t)
{
    uint32_t bits = sp_load_seq_cst(&t->pending);
    return bits & sp_deliverable(t);
}

/* Serve everything taken: first STOP, HANDSHAKE and SAMPLE, which do not raise; then at most one
 * request that raises. */
static inline enum sp_outcome sp_serve(struct sp_thread *t, uint32_t bits)
{
    if (bits & SP_STOP) {
        SP_EVENT(SERVED, t, SP_STOP);
        sp_park(t);                                     /* STOP-PARKS */
    }
    if (bits & SP_HANDSHAKE) {
        sp_own_handshake(t);
    }
    if (bits & SP_SAMPLE) {
        SP_EVENT(SERVED, t, SP_SAMPLE);
    }
    if (bits & SP_TERMINATE) {
        SP_EVENT(SERVED, t, SP_TERMINATE);
        t->ending = SP_TERMINATE;                       /* TERMINATE-ONCE */
        if (bits & SP_INTERRUPT) {
            /* TAKEN-IS-SERVED: or it is pending again, and poisoned */
            sp_give_back(t, SP_INTERRUPT);
        }
        return SP_RAISE_TERMINATE;
    }
    /* TAKEN-IS-SERVED: whatever else was taken with it */
    if (bits & SP_INTERRUPT) {
        SP_EVENT(SERVED, t, SP_INTERRUPT);
        return SP_RAISE_INTERRUPT;
    }
    return SP_GO;
}

/* What was taken and cannot be served now is pending again, and every check fails again. */
static inline void sp_give_back(struct sp_thread *t, uint32_t bits)
{
    sp_add(t, bits);
    SP_EVENT(POSTED, t, bits);
    sp_poison(t);                                       /* GIVEN-BACK-IS-POISONED */
}

/* The bit was a hint: the requester may have run the operation for t, or be about to. */
static inline void sp_own_handshake(struct sp_thread *t)
{
    bool mine = sp_cas(&t->operation, SP_ASKED, SP_OWN);  /* HANDSHAKE-ONCE, OWN-OPERATION-PASSES */
    if (mine) {
        SP_EVENT(HANDSHAKE_CLAIMED, t, 0);
#if SP_LEAVING
        sp_leave(t);
        sp_reenter(t);
#endif
        sp_operate(t);
        sp_store_release(&t->operation, SP_NOTHING);
        SP_EVENT(HANDSHAKE_DONE, t, 0);
        SP_WAKE(&t->operation);
    }
}

/* Park while the world is stopped. The STOP bit is only a hint; `world.stop` decides.
 *
 * True: sp_reenter goes on. */
static inline bool sp_park_once(struct sp_thread *t)
{
#if SP_FAIRNESS
    sp_store_release(&t->parked, 1);                    /* HELD-RUNS-FIRST: it is about to park */
#endif
    sp_store_release(&t->state, SP_PARKED);
    SP_EVENT(PARKED, t, 0);
    SP_WAKE(&t->state);
    for (uint32_t seen; (seen = sp_load_acquire(&sp_world.stop)) != 0;) {
        SP_WAIT(&sp_world.stop, seen);
    }
    return true;
}

static inline void sp_park(struct sp_thread *t)
{
    if (sp_park_once(t)) {
        sp_reenter(t);
    }
}

/* Leave guest code: from here on a stop does not wait for t, and a handshake may be run for it. */
static inline void sp_leave(struct sp_thread *t)
{
    sp_store_release(&t->state, SP_NATIVE);
    SP_EVENT(NATIVE_ENTERED, t, 0);
    SP_WAKE(&t->state);
}

/* Return to guest code, from native code, a park, a sleep or a birth: publish MANAGED first,
 * then look. */
static inline void sp_reenter(struct sp_thread *t)
{
    for (;;) {
#if SP_MEMBARRIER
        /* REQUESTER-IS-A-BARRIER: `sp_fence_stop` and `sp_fence_claim` */
        sp_store_release(&t->state, SP_MANAGED);
        SP_EVENT(RETURNED, t, 0);
#else
        sp_swap(&t->state, SP_MANAGED);                 /* REENTER-IS-A-BARRIER */
        SP_EVENT(RETURNED, t, 0);
#endif
        /* REENTER-IS-A-BARRIER: nor may the look pass the publishing */
        uint32_t stopped = sp_load_seq_cst(&sp_world.stop);
        if (stopped == 1) {                             /* REENTER-LOOKS-AGAIN */
            if (sp_park_once(t)) {
                continue;
            }
            return;
        }
#if SP_FAIRNESS
        /* HELD-RUNS-FIRST: it goes on to guest code */
        sp_store_release(&t->parked, 0);
        SP_WAKE(&t->parked);
#endif
        /* HANDSHAKE-IS-ALONE */
        for (uint32_t seen; (seen = sp_load_seq_cst(&t->operation)) == SP_RUNNING;) {
            SP_WAIT(&t->operation, seen);
        }
        return;
    }
}

/* ---------------------------------------- check sites */

/* Serve what was asked, then decide the push by the real limit, so that a storm of posts cannot
 * keep it from happening. */
SP_COLD enum sp_outcome sp_push_failed(struct sp_thread *t, uintptr_t end)
{
    enum sp_outcome outcome = sp_slow_path(t);
    if (outcome == SP_GO) {                             /* SPURIOUS-IS-NOTHING */
        return sp_decide_push(t, end);
    }
    return outcome;
}

/* Is the stack really full? */
static inline enum sp_outcome sp_decide_push(struct sp_thread *t, uintptr_t end)
{
    if (end > sp_real_limit(t)) {                       /* REAL-LIMIT-DECIDES */
        return SP_RAISE_OVERFLOW;
    }
    return SP_GO;
}

/* An instruction has done as much work as it may between two checks, and can go on from here, or
 * begin again. */
static inline enum sp_outcome sp_poll(struct sp_thread *t, unsigned word)
{
    return sp_back_edge(t, word);                       /* LONG-WORK-POLLS */
}

/* ---------------------------------------- trigger `limit_and_table` */

/* One comparison asks both: is there room, and is there a request? */
static inline enum sp_outcome sp_frame_push(struct sp_thread *t, uintptr_t end)
{
    if (SP_UNLIKELY(sp_below(&t->limit, end))) {
        SP_EVENT(ENTERED, t, SP_AT_PUSH);
        return sp_push_failed(t, end);
    }
    SP_EVENT(PUSHED, t, 0);
    return SP_GO;
}

/* The dispatch itself: nothing is added to it. */
static inline enum sp_outcome sp_back_edge(struct sp_thread *t, unsigned word)
{
    if (SP_UNLIKELY(sp_equals(&t->entry[word], SP_ENTRY_POISON))) {
        SP_EVENT(ENTERED, t, SP_AT_BACK_EDGE + word);
        return sp_slow_path(t);
    }
    SP_EVENT(LOOPED, t, word);
    return SP_GO;
}

static inline void sp_add(struct sp_thread *t, uint32_t kind)
{
    sp_add_pending(t, kind);
}

static inline void sp_poison(struct sp_thread *t)
{
    sp_store_release(&t->limit, SP_LIMIT_POISON);
    SP_EVENT(POISONED, t, SP_WORD_LIMIT);
    for (unsigned word = 0; word < SP_ENTRY_WORDS; word++) {
        sp_store_release(&t->entry[word], SP_ENTRY_POISON);  /* POISON-EVERY-WORD */
        SP_EVENT(POISONED, t, SP_WORD_ENTRY + word);
    }
}

static inline void sp_restore(struct sp_thread *t)
{
    sp_store_release(&t->limit, sp_real_limit(t));
    SP_EVENT(RESTORED, t, SP_WORD_LIMIT);
    for (unsigned word = 0; word < SP_ENTRY_WORDS; word++) {
        sp_store_release(&t->entry[word], t->entry_real[word]);  /* OWNER-RESTORES */
        SP_EVENT(RESTORED, t, SP_WORD_ENTRY + word);
    }
}

static inline uint32_t sp_take(struct sp_thread *t)
{
    return sp_take_pending(t);
}

static inline uint32_t sp_look(struct sp_thread *t)
{
    return sp_look_pending(t);
}

/* ---------------------------------------- variants of the core */

#if SP_MEMBARRIER
/* membarrier: between the stop word, with its posts, and the first look at a state. */
static inline void sp_fence_stop(void)
{
    SP_FENCE_OTHERS();                                  /* REQUESTER-IS-A-BARRIER */
}
#endif

#if SP_MEMBARRIER
/* membarrier: between the claim of an operation and the look at where its target is. */
static inline void sp_fence_claim(void)
{
    SP_FENCE_OTHERS();                                  /* REQUESTER-IS-A-BARRIER */
}
#endif

#if SP_EXCLUSIVE
/* exclusive: a requester that claimed an operation before it could see the stop runs it to its
 * end. */
static inline void sp_await_operations(void)
{
    SP_EACH_THREAD(t) {
        /* STOP-IS-EXCLUSIVE */
        for (uint32_t seen; (seen = sp_load_seq_cst(&t->operation)) == SP_RUNNING;) {
            SP_WAIT(&t->operation, seen);
        }
    }
}
#endif

#if SP_FAIRNESS
/* fairness: before a stop is published, each thread that the last one held has left it. */
static inline void sp_await_held(void)
{
    SP_EACH_THREAD(t) {
        for (uint32_t seen; (seen = sp_load_acquire(&t->parked)) != 0;) {  /* HELD-RUNS-FIRST */
            SP_WAIT(&t->parked, seen);
        }
    }
}
#endif

/* ---------------------------------------- what not every VM needs */

/* Begin a critical section. Returns the previous mask: non-zero if the section is nested. */
static inline uint32_t sp_mask(struct sp_thread *t)
{
    uint32_t before = t->masked;
    t->masked = SP_INTERRUPT;
    SP_EVENT(MASKED, t, 0);
    return before;
}

/* The end of a critical section, the outermost one: what came meanwhile has lost its poison, so
 * look. */
static inline enum sp_outcome sp_unmask(struct sp_thread *t)
{
    t->masked = 0;
    SP_EVENT(UNMASKED, t, 0);
    return sp_look_again(t);                            /* UNMASK-LOOKS */
}

/* The end of an unwinding by TERMINATE: the next one may be delivered. It is a check site, as
 * the end of a mask is. */
static inline enum sp_outcome sp_unwound(struct sp_thread *t)
{
    t->ending = 0;
    return sp_look_again(t);                            /* UNMASK-LOOKS */
}

static inline enum sp_outcome sp_look_again(struct sp_thread *t)
{
    uint32_t bits = sp_look(t);
    if (SP_UNLIKELY(bits != 0)) {
        SP_EVENT(ENTERED, t, SP_AT_LOOK);
        return sp_slow_path(t);
    }
    return SP_GO;
}

/* Sleep until a request is posted: publish that t is about to, look again, and only then sleep. */
static inline void sp_block(struct sp_thread *t)
{
    sp_store_seq_cst(&t->wake, 0);                      /* BLOCK-IS-A-BARRIER */
    SP_EVENT(BLOCKED, t, 0);
    sp_leave(t);
    uint32_t bits = sp_look(t);                         /* BLOCK-LOOKS-AGAIN */
    if (bits == 0) {
        for (uint32_t seen; (seen = sp_load_acquire(&t->wake)) != 1;) {
            SP_WAIT(&t->wake, seen);
        }
    }
    sp_reenter(t);
}

/* After a sleep that guest code asked for. It is a check site: what ended the sleep is raised
 * here, not at the next check. */
static inline enum sp_outcome sp_woken(struct sp_thread *t)
{
    return sp_look_again(t);                            /* WAKE-IS-A-SITE */
}

/* The real limit changes; the visible one follows only if it is not poisoned. */
static inline void sp_grow_stack(struct sp_thread *t, uintptr_t extra)
{
    uintptr_t before = sp_real_limit(t);
    t->extra = extra;
    sp_cas_trigger(&t->limit, before, sp_real_limit(t));  /* LIMIT-KEEPS-POISON */
}

/* A guest thread is the coordinator: it counts as stopped itself, also while it waits for its
 * turn. */
static inline void sp_stop_world_from(struct sp_thread *t)
{
    sp_leave(t);                                        /* COORDINATOR-IS-OUTSIDE */
    sp_stop_world();
}

/* The end of a stop from a guest thread, which comes back as any other does: another may have
 * stopped the world again. */
static inline void sp_start_world_from(struct sp_thread *t)
{
    sp_start_world();
    sp_reenter(t);
}

/* Leave for good: no coordinator waits for t any more, and what is pending is dropped by the
 * next birth. */
static inline void sp_exit_thread(struct sp_thread *t)
{
    t->masked = 0;
    SP_EVENT(UNMASKED, t, 0);
    t->ending = 0;
    sp_store_release(&t->state, SP_ENDED);
    SP_EVENT(EXITED, t, 0);
    SP_WAKE(&t->state);
}

/* A thread begins, perhaps in the record of one that has ended: it inherits no request, and
 * enters guest code by `sp_reenter`.
 *
 * But a requester may still wait for a handshake on this record. It will not post again, so a
 * HANDSHAKE bit dropped here must be served here. */
static inline void sp_start_thread(struct sp_thread *t)
{
    sp_restore(t);
    uint32_t bits = sp_swap(&t->pending, 0);            /* BIRTH-IS-CLEAN */
    SP_EVENT(CLEARED, t, 0);
    if (bits & SP_HANDSHAKE) {
        sp_own_handshake(t);                            /* BIRTH-OWES-HANDSHAKE */
    }
    sp_reenter(t);                                      /* BIRTH-REENTERS */
}

/* ---------------------------------------- who asks */

/* After `sp_request_stop`: the threads took too long. Those that have parked go on, and a STOP
 * that is pending stops nothing. */
static inline void sp_give_up(void)
{
    sp_start_world();                                   /* GIVING-UP-STARTS */
}

/* Stop the world, or find it stopped by t itself. */
static inline void sp_stop_world_nested(struct sp_thread *t)
{
    bool outermost = t->stops == 0;                     /* STOPS-ARE-COUNTED */
    if (outermost) {
        sp_stop_world_from(t);
    }
    t->stops = t->stops + 1;
}

/* The outermost one starts it. */
static inline void sp_start_world_nested(struct sp_thread *t)
{
    t->stops = t->stops - 1;
    bool outermost = t->stops == 0;                     /* STOPS-ARE-COUNTED */
    if (outermost) {
        sp_start_world_from(t);
    }
}

/* A guest thread asks for an operation on another, or on itself: meanwhile it is as good as
 * stopped, and answers too. */
static inline void sp_handshake_from(struct sp_thread *t, struct sp_thread *target)
{
    sp_leave(t);                                        /* ASKER-IS-OUTSIDE */
    sp_handshake(target);
    sp_reenter(t);
}

/* From here on t's record is t's, if t is alive; one bit stands for a count of requesters, or
 * for a hazard pointer of each. */
static inline bool sp_hold_record(struct sp_thread *t)
{
    sp_fetch_or(&t->holders, 1);                        /* RECORD-IS-HELD: then it looks */
    uint32_t state = sp_load_acquire(&t->state);
    return state != SP_ENDED;
}

static inline void sp_let_go_of_record(struct sp_thread *t)
{
    sp_fetch_and(&t->holders, 0);
    SP_WAKE(&t->holders);
}

/* The record of a thread that has ended may be used again when no requester that saw it alive is
 * still busy with it. */
static inline void sp_await_holders(struct sp_thread *t)
{
    /* RECORD-IS-HELD, END-IS-A-BARRIER: locked, so ENDED is visible */
    for (uint32_t seen; !sp_claim(&t->holders, 0, 0, &seen);) {
        SP_WAIT(&t->holders, seen);
    }
}

#endif
