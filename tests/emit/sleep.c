/* A sleep that ends when a condition of the VM's holds: nothing is lost, wherever the waker comes; behind hooks.  Status 14: a hang. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

struct sp_thread;
static void before(void);
extern struct sp_thread *const threads[2];
#define SP_EACH_THREAD(t) for (struct sp_thread *const *at = threads, *t; at < threads + 2 && (t = *at); at++)
#define SP_WAIT(word, seen) syscall(SYS_futex, (word), FUTEX_WAIT, (seen), NULL, NULL, 0)
#define SP_WAKE(word) syscall(SYS_futex, (word), FUTEX_WAKE, 1 << 30, NULL, NULL, 0)
#define SP_BEFORE() before()
#include "safepoint.h"

struct sp_world sp_world;
static struct sp_thread guests[2];
struct sp_thread *const threads[2] = {&guests[0], &guests[1]};
static _Atomic int box[2];
static _Thread_local int countdown; /* the waker comes before this access of the sleeper; 0: never */

static void put(int whose) {
    box[whose] = 1;
    sp_awaken(&guests[whose]);
}
static bool is_full(void *of) { return *(_Atomic int *)of != 0; }
static void before(void) {
    if (countdown > 0 && --countdown == 0)
        put(0);
}

static void get(int me) {
    while (!box[me]) { /* it may come right here */
        sp_block(&guests[me], READY, &box[me]);
        if (sp_woken(&guests[me]) != SP_GO)
            _exit(3);
    }
    box[me] = 0;
}

static void *play(void *number) {
    int me = *(int *)number;
    sp_start_thread(&guests[me]);
    for (int n = 0; n < ROUNDS; n++) {
        if (me == 0)
            put(1);
        get(me);
        if (me == 1)
            put(0);
    }
    sp_exit_thread(&guests[me]);
    return NULL;
}

int main(void) {
    const uintptr_t entry[SP_ENTRY_WORDS] = {1};
    alarm(SECONDS);
    for (int n = 0; n < 2; n++)
        sp_make_thread(&guests[n], 1000, entry, SP_ENDED);
    sp_start_thread(&guests[0]);
    int accesses = 1;
    for (countdown = accesses; accesses <= 4; countdown = ++accesses) {
        sp_block(&guests[0], READY, &box[0]);
        printf("%d ", accesses), fflush(stdout);
        box[0] = countdown = 0;
    }
    countdown = 0;
    sp_exit_thread(&guests[0]);
    pthread_t thread[2];
    int numbers[2] = {0, 1};
    for (int n = 0; n < 2; n++)
        pthread_create(&thread[n], NULL, play, &numbers[n]);
    for (int n = 0; n < 2; n++)
        pthread_join(thread[n], NULL);
    puts("done");
    (void)is_full;
    return 0;
}
