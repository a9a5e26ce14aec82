/* Tiny VM on real cores: `tiny_vm REQUESTS [SECONDS]`.  Each is awaited for so long; status 1: one is lost. */
#define _GNU_SOURCE
#include "vm.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct code program[] = {
    {LOCAL, 0}, {CONS, 0}, {LOCAL, 0}, {CALL, 1}, {SET, 0},      /* 0: a cell, a call */
    {LOCAL, 0}, {CONST, 64}, {LESS, 0}, {UNLESS, 10}, {LOOP, 0}, /* 5: 64 times */
    {SUM, 0}, {CHECK, 2016}, {CONST, 0}, {SET, 0}, {SLEEP, 0},   /* 10: is all there?  Sleep until asked */
    {LOCAL, 1}, {CONST, 1}, {ADD, 0}, {SET, 1},
    {LOCAL, 1}, {CONST, 20}, {LESS, 0}, {UNLESS, 24}, {LOOP, 0}, /* 19: 20 times */
    {HALT, 0}, {LOCAL, 0}, {CONST, 1}, {ADD, 0}, {RETURN, 1},    /* 25: x + 1 */
};
static const struct function functions[] = {{0, 0, 2, 12}, {25, 1, 1, 8}};
static pthread_t threads[RECORDS];
static struct line { unsigned long before, after; const char *by, *kind; int to; uint32_t detail; } lines[1 << 20];
static _Atomic unsigned long stamps, used;
static _Thread_local unsigned long began;
static _Thread_local const char *by = "R";

void vm_wait(_Atomic uint32_t *word, uint32_t seen) { syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0); }
void vm_wake(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, 1 << 30, NULL, NULL, 0); }
void vm_before(void) { began = atomic_fetch_add(&stamps, 1); }
/* also in a signal handler */
static void give_up(const char *why, int status) { _exit(write(2, why, strlen(why)) < 0 ? 2 : status); }
/* trace.py makes a trace of it */
void vm_event(const char *kind, struct sp_thread *t, uint32_t detail) {
    unsigned long n = atomic_fetch_add(&used, 1);
    int to = t ? ((struct vm_thread *)t)->number : -1;
    while (n > sizeof lines / sizeof *lines) pause(); /* who was first says so */
    if (n == sizeof lines / sizeof *lines)
        give_up("the log is full: ask for fewer requests\n", 2);
    lines[n] = (struct line){began, atomic_fetch_add(&stamps, 1), by, kind, to, detail};
}

/* guest threads, one after another in one record, from birth to end */
static void *live(void *record) {
    struct vm_thread *t = record;
    by = (const char *[]){"T0", "T1", "T2", "T3"}[t->number];
    do {
        sp_await_holders(&t->sp);
        sp_start_thread(&t->sp);
        do { /* one that is interrupted begins again; T2 ends */
            vm_begin(t);
            vm_run(t, 1L << 62);
            atomic_fetch_add(&t->raised, t->error == SP_RAISE_INTERRUPT);
        } while (!atomic_load(&vm_done) && (t->number == 0 || (t->error != SP_GO && t->number != 2)));
        t->list = NULL;
        sp_exit_thread(&t->sp);
        atomic_fetch_add(&t->lives, 1);
    } while (!atomic_load(&vm_done));
    return NULL;
}

/* Control-C: a post, between any two instructions of any thread */
static void on_signal(int number) {
    const char *was = by;
    unsigned long before = began;
    int error = errno;
    if (number == SIGALRM)
        give_up("lost: a request is not answered\n", 1);
    by = "signal";
    sp_post(&records[0].sp, SP_INTERRUPT);
    by = was, began = before, errno = error;
}

static void interrupt(struct vm_thread *t) {
    t->raised_before = atomic_load(&t->raised), t->lives_before = atomic_load(&t->lives);
    if (t->number == 0)
        kill(getpid(), SIGINT);
    else {
        sp_hold_record(&t->sp) ? sp_post(&t->sp, SP_INTERRUPT) : (void)(t->lives_before = -1);
        sp_let_go_of_record(&t->sp);
    }
}

/* 1: answered.  0: dropped, as its thread has ended */
static int answered(struct vm_thread *t) {
    while (atomic_load(&t->raised) == t->raised_before && atomic_load(&t->lives) == t->lives_before)
        sched_yield();
    return atomic_load(&t->raised) != t->raised_before;
}

int main(int argc, char **argv) {
    long requests = argc > 1 ? atol(argv[1]) : 1000, wrong = 0, lives = 0;
    long dropped = 0, stops = 0, operations = 0;
    signal(SIGINT, on_signal), signal(SIGALRM, on_signal);
    for (int n = 0; n < RECORDS; n++)
        vm_make(&records[n], program, functions, STACK);
    for (int n = 0; n < RECORDS; n++)
        pthread_create(&threads[n], NULL, live, &records[n]);
    while (sp_load_acquire(&records[0].sp.state) == SP_ENDED)
        sched_yield(); /* until T0 is born: the signal handler takes it for alive */
    for (long n = 0; n < requests; n += RECORDS) {
        alarm(argc > 2 ? (unsigned)atoi(argv[2]) : 20);
        for (int m = 0; m < RECORDS; m++)
            interrupt(&records[m]);
        if (n / RECORDS % 4 == 0) {
            sp_stop_world();
            long before = records[0].steps;
            sched_yield(), stops++, wrong += records[0].steps != before;
            sp_start_world();
        }
        for (int m = 0; m < RECORDS; m++) {
            long before = records[m].operations;
            dropped += !answered(&records[m]);
            if (n / RECORDS % 4 == 1)
                sp_handshake(&records[m].sp), operations++, wrong += records[m].operations != before + 1;
        }
    }
    atomic_store(&vm_done, 1);
    for (int n = 0; n < RECORDS; n++)
        sp_post(&records[n].sp, SP_INTERRUPT);
    for (int n = 0; n < RECORDS; n++) {
        pthread_join(threads[n], NULL);
        wrong += records[n].wrong, lives += records[n].lives;
    }
    for (struct line *l = lines; l < lines + used; l++)
        printf("%lu %lu %s %s %d %u\n", l->before, l->after, l->by, l->kind, l->to, l->detail);
    fprintf(stderr, "%ld interrupts, %ld of them of a thread that had ended, %ld stops, %ld operations;"
            " %ld collections, %ld lives, %ld wrong\n", requests, dropped, stops, operations,
            collections, lives, wrong);
    return wrong != 0;
}
