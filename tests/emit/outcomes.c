/* What the checks of a header return, one thread alone; behind the hooks of building.py. */
#include <stdio.h>
struct sp_thread *first;
static struct sp_thread guest;
static char stack[1000];
static const uintptr_t entry[1] = {1};

static int push(uintptr_t end) { return (int)sp_frame_push(&guest, (uintptr_t)stack + end); }
/* Where calls check nothing a push says that all goes on, and the next return or allocation notices. */
static int short_push(void) {
    int outcome = push(10);
    return PUSHES ? outcome : outcome != 0 ? -1 : (int)ELSEWHERE;
}
static int long_push(void) { return push(1001); }
/* Where loops check nothing a back-edge says that all goes on, and the next of the others notices. */
static int back_edge(void) {
    int outcome = (int)sp_back_edge(&guest EDGE);
    return EDGES > 0 ? outcome : outcome != 0 ? -1 : short_push();
}
/* What checks return until one notices: as many as the policy's bound allows. */
static int noticed(int (*check)(void)) {
    int outcome = 0;
    int bound = check == back_edge && EDGES > 0 ? EDGES : BOUND;
    for (int n = 0; n < bound && outcome == 0; n++) outcome = check();
    return outcome;
}
static int samples;
void sampled(struct sp_thread *t) { samples += t == &guest; }
static void say(const char *what, int outcome) { printf("%s: %d\n", what, outcome); }

int main(void) {
    (void)entry;
    sp_make_thread(&guest, (uintptr_t)stack + 1000 WORDS, SP_MANAGED);
    say("nothing is asked", noticed(short_push));
    say("and at a back-edge", noticed(back_edge));
    say("the stack is full", long_push());
    sp_post(&guest, SP_INTERRUPT);
    say("an interrupt", noticed(short_push));
    say("once", noticed(short_push));
    sp_post(&guest, SP_INTERRUPT);
    say("an interrupt, at a back-edge", noticed(back_edge));
    say("once", noticed(back_edge));
    sp_post(&guest, SP_SAMPLE);
    say("a sample", noticed(short_push));
    say("taken", samples);
    sp_poison(&guest);
    say("poison alone", noticed(short_push));
    sp_post(&guest, SP_INTERRUPT);
    int outcome = SP_RAISE_OVERFLOW;
    for (int n = 0; n < BOUND && outcome == SP_RAISE_OVERFLOW; n++) outcome = long_push();
    say("an interrupt, and the stack is full", outcome);
    say("then it is full alone", long_push());
    say("and at a back-edge", noticed(back_edge));
#if MASKS
    say("a mask, the first", (int)sp_mask(&guest));
    sp_post(&guest, SP_INTERRUPT);
    say("an interrupt in a mask", noticed(short_push));
    say("and at a back-edge", noticed(back_edge));
    say("at its end", (int)sp_unmask(&guest));
    say("once", noticed(back_edge));
#endif
#if MASKS && TERMINATES
    sp_post(&guest, SP_INTERRUPT);
    sp_post(&guest, SP_TERMINATE);
    say("an interrupt and a termination", noticed(back_edge));
    say("the interrupt is still there", noticed(back_edge));
    sp_post(&guest, SP_TERMINATE);
    say("a termination while it unwinds", noticed(back_edge));
    sp_mask(&guest);
    say("the end of a mask while it unwinds", (int)sp_unmask(&guest));
    say("when it has unwound", (int)sp_unwound(&guest));
#endif
    return 0;
}
