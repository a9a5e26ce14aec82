/* Tiny VM: the bytecode loop, and an allocator that stops the world when it is full. */
#include "vm.h"

#include <stdio.h>
#include <string.h>

struct sp_world sp_world;
struct vm_thread records[RECORDS];
_Atomic int vm_done;
long collections;
static struct cell spaces[2][CELLS], *space = spaces[0];
static _Atomic long used;

struct sp_thread *vm_next(struct sp_thread *t) {
    struct vm_thread *next = t ? (struct vm_thread *)t + 1 : records;
    return next < records + RECORDS ? &next->sp : NULL;
}

void vm_operation(struct sp_thread *t) { ((struct vm_thread *)t)->operations++; }

/* Copy what every thread needs to the other space: right only if none of them runs. */
static void collect(struct vm_thread *t) {
    sp_stop_world_from(&t->sp);
    if (atomic_load(&used) >= CELLS) { /* else another has been first */
        struct cell *to = spaces[space == spaces[0]];
        long n = 0;
        for (struct vm_thread *each = records; each < records + RECORDS; each++)
            for (struct cell **link = &each->list; *link; link = &(*link)->next) {
                to[n] = **link;
                (*link)->value = -1; /* a thread that still reads it is wrong */
                *link = &to[n++];
            }
        space = to;
        collections++;
        atomic_store(&used, n);
    }
    sp_start_world_from(&t->sp);
}

static void cons(struct vm_thread *t, int64_t value) {
    long n;
    while ((n = atomic_fetch_add(&used, 1)) >= CELLS)
        collect(t);
    space[n] = (struct cell){t->list, value};
    t->list = &space[n];
}

static int64_t sum(struct vm_thread *t) {
    int64_t total = 0;
    for (struct cell *each = t->list; each; each = each->next)
        total += each->value;
    t->list = NULL;
    return total;
}

/* A frame begins with its arguments; behind its locals stand the caller's frame and pc. */
static enum sp_outcome call(struct vm_thread *t, const struct function *f) {
    int64_t *frame = t->top - f->parameters;
    t->frames++;
    enum sp_outcome outcome = sp_frame_push(&t->sp, (uintptr_t)(frame + f->size));
    if (outcome == SP_GO) {
        memset(t->top, 0, (size_t)(f->locals - f->parameters) * sizeof *frame);
        frame[f->locals] = t->frame - t->stack;
        frame[f->locals + 1] = t->pc;
        t->frame = frame;
        t->top = frame + f->locals + 2;
        t->pc = f->entry;
    }
    return outcome;
}

static void leave_frame(struct vm_thread *t, const struct function *f) {
    int64_t value = t->top[-1], *frame = t->frame;
    t->pc = (int32_t)frame[f->locals + 1];
    t->frame = t->stack + frame[f->locals];
    *frame = value;
    t->top = frame + 1;
}

void vm_make(struct vm_thread *t, const struct code *code, const struct function *f, long stack) {
    uintptr_t entry[SP_ENTRY_WORDS] = {1};
    t->number = (int32_t)(t - records);
    t->code = code;
    t->functions = f;
    sp_make_thread(&t->sp, (uintptr_t)(t->stack + stack), entry, SP_ENDED);
}

void vm_begin(struct vm_thread *t) {
    memset(t->stack, 0, (size_t)t->functions->locals * sizeof *t->stack);
    t->frame = t->stack;
    t->top = t->stack + t->functions->locals;
    t->pc = t->functions->entry;
    t->ended = t->sections = 0;
    t->list = NULL;
}

int vm_run(struct vm_thread *t, long most) {
    for (; most > 0 && !t->ended; most--) {
        struct code now = t->code[t->pc++];
        enum sp_outcome outcome = SP_GO;
        t->steps++;
        switch ((enum op)now.op) {
        case CONST: *t->top++ = now.operand; break;
        case LOCAL: *t->top++ = t->frame[now.operand]; break;
        case SET: t->frame[now.operand] = *--t->top; break;
        case ADD: t->top--, t->top[-1] += t->top[0]; break;
        case MULTIPLY: t->top--, t->top[-1] *= t->top[0]; break;
        case LESS: t->top--, t->top[-1] = t->top[-1] < t->top[0]; break;
        case UNLESS: t->pc = *--t->top ? t->pc : now.operand; break;
        case LOOP: t->back_edges++, outcome = sp_back_edge(&t->sp, 0), t->pc = now.operand; break;
        case CALL: outcome = call(t, &t->functions[now.operand]); break;
        case RETURN: leave_frame(t, &t->functions[now.operand]); break;
        case PRINT: sprintf(strchr(t->output, 0), "%d\n", (int)*--t->top); break;
        case MASK: t->sections++ ? 0 : sp_mask(&t->sp); break;
        case UNMASK: outcome = --t->sections ? SP_GO : sp_unmask(&t->sp); break;
        case CONS: cons(t, *--t->top); break;
        case SUM: *t->top++ = sum(t); break;
        case CHECK: t->wrong += *--t->top != now.operand; break;
        case SLEEP: outcome = atomic_load(&vm_done) ? SP_GO : (sp_block(&t->sp, NULL, NULL), sp_woken(&t->sp)); break;
        case HALT: t->ended = 1; break;
        }
        t->error = outcome;
        t->ended |= outcome != SP_GO;
    }
    return !t->ended;
}
