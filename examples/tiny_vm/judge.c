/* Tiny VM for target.py: its hooks are Python's, and what the header has inline can be called from there. */
#include "vm.h"

void (*judge_before)(void), (*judge_event)(const char *, uint32_t), (*judge_wait)(int is_stop);
void vm_before(void) { judge_before(); }
void vm_event(const char *kind, struct sp_thread *t, uint32_t detail) { (void)t, judge_event(kind, detail); }
void vm_wait(_Atomic uint32_t *word, uint32_t seen) { (void)seen, judge_wait(word == &sp_world.stop); }
void vm_wake(_Atomic uint32_t *word) { (void)word; }

struct vm_thread *judge_thread(const struct code *code, const struct function *f, long stack) {
    records[0] = (struct vm_thread){0};
    sp_world = (struct sp_world){0};
    vm_make(&records[0], code, f, stack);
    vm_begin(&records[0]);
    atomic_store(&records[0].sp.state, SP_MANAGED);
    return &records[0];
}
int judge_asks(struct sp_thread *t) { return sp_cas(&t->operation, SP_NOTHING, SP_ASKED); }
void judge_post(struct sp_thread *t, uint32_t kind) { sp_post(t, kind); }
void judge_finish_handshake(struct sp_thread *t) { sp_finish_handshake(t); }
void judge_request_stop(void) { sp_request_stop(); }
void judge_start_world(void) { sp_start_world(); }
void judge_exit(struct sp_thread *t) { sp_exit_thread(t); }
long judge_look(struct vm_thread *t, int what) {
    long busy = atomic_load(&sp_world.lock) + (atomic_load(&t->sp.operation) != SP_NOTHING);
    return (long[]){t->frames, t->back_edges, t->error, t->pc, t->ended, busy}[what];
}
const char *judge_output(struct vm_thread *t) { return t->output; }
