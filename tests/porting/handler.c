/* A post from a signal handler, on the thread that it is for, while that thread holds a lock of the VM. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

_Static_assert(ATOMIC_LONG_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2, "an atomic that takes a lock is no post");

enum { INTERRUPT = 4 };
static struct thread { _Atomic unsigned long pending; _Atomic uintptr_t limit; sem_t wake; } main_thread;
static _Atomic(struct thread *) target = &main_thread; /* known beforehand: a handler looks nothing up under a lock */
static pthread_mutex_t vm_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t would_wait;

static void on_signal(int number) {
    int before = errno;
    struct thread *t = atomic_load(&target);
    would_wait = pthread_mutex_trylock(&vm_lock) == EBUSY; /* for the demonstration only: it may not be called here */
    atomic_fetch_or(&t->pending, INTERRUPT);
    atomic_store(&t->limit, UINTPTR_MAX);
    sem_post(&t->wake);
    if (write(-1, &number, 1) < 0) errno = before; /* the thread below may be about to look at its own errno */
}

int main(void) {
    struct sigaction action = {.sa_handler = on_signal};
    if (sem_init(&main_thread.wake, 0, 0) || sigaction(SIGINT, &action, 0)) return 1;
    pthread_mutex_lock(&vm_lock);
    errno = EDOM;
    raise(SIGINT);
    int kept = errno == EDOM;
    pthread_mutex_unlock(&vm_lock);
    sem_wait(&main_thread.wake); /* asleep: the post has ended it */
    printf("lock in the handler: %s\n", would_wait ? "would wait for ever" : "free");
    printf("pending %lu, poisoned %d, errno kept %d\n", main_thread.pending, main_thread.limit == UINTPTR_MAX, kept);
    return 0;
}
