/* Tiny VM: what it adds to safepoint.h.  A guest thread is a record, a stack, and a list on the heap. */
#include <sched.h>
#include <stdint.h>

struct sp_thread;
struct sp_thread *vm_next(struct sp_thread *t);      /* the record after t; of NULL the first */
void vm_operation(struct sp_thread *t);
void vm_wait(_Atomic uint32_t *word, uint32_t seen); /* these four: main.c, or judge.c */
void vm_wake(_Atomic uint32_t *word);
void vm_before(void);
void vm_event(const char *kind, struct sp_thread *t, uint32_t detail);
#define SP_EACH_THREAD(t) for (struct sp_thread *t = vm_next(NULL); t; t = vm_next(t))
#define SP_WAIT(word, seen) vm_wait((word), (seen))
#define SP_WAKE(word) vm_wake(word)
#define SP_RELAX() sched_yield()
#define SP_OPERATION(t) vm_operation(t)
#ifdef SP_TRACED
#define SP_BEFORE() vm_before()
#define SP_EVENT(kind, t, detail) vm_event(#kind, (t), (detail))
#endif
#include "safepoint.h"

enum { RECORDS = 4, STACK = 1100, CELLS = 2000 };
enum op { /* each with one operand */
    CONST, LOCAL, SET, ADD, MULTIPLY, LESS, UNLESS, LOOP, CALL, RETURN, PRINT, MASK, UNMASK,
    CONS, SUM, CHECK, SLEEP, HALT
};
struct code { int32_t op, operand; };
struct function { int32_t entry, parameters, locals, size; }; /* size: slots, temporaries too */
struct cell { struct cell *next; int64_t value; };
struct vm_thread {
    struct sp_thread sp; /* first: so a record is found by it */
    const struct code *code;
    const struct function *functions; /* the first is the module */
    struct cell *list;                /* what it has allocated; the collector moves it */
    int64_t *frame, *top, stack[STACK];
    int32_t pc, number, ended, sections;
    enum sp_outcome error;
    long steps, frames, back_edges, wrong, operations, raised_before, lives_before;
    _Atomic long raised, lives;
    char output[256];
};
extern struct vm_thread records[RECORDS];
extern _Atomic int vm_done; /* then no thread falls asleep */
extern long collections;
void vm_make(struct vm_thread *t, const struct code *code, const struct function *f, long stack);
void vm_begin(struct vm_thread *t);         /* stand before the module's first instruction */
int vm_run(struct vm_thread *t, long most); /* 0: it has ended */
