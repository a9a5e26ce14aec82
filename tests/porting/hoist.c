/* A loop that checks at its back-edge, and leaves compiled code if the check fails.  Is the load of the trigger word still in it? */
#include <stdatomic.h>

struct thread {
    char before[1976];
    unsigned long plain;
    volatile unsigned long kept;
    _Atomic unsigned long relaxed;
};

long loop_plain(struct thread *t, long n) {
    long sum = 0;
    for (long i = 0; i < n; i++) {
        if (t->plain) return -1;
        sum += sum * i ^ i;
    }
    return sum;
}

long loop_volatile(struct thread *t, long n) {
    long sum = 0;
    for (long i = 0; i < n; i++) {
        if (t->kept) return -1;
        sum += sum * i ^ i;
    }
    return sum;
}

long loop_relaxed(struct thread *t, long n) {
    long sum = 0;
    for (long i = 0; i < n; i++) {
        if (atomic_load_explicit(&t->relaxed, memory_order_relaxed)) return -1;
        sum += sum * i ^ i;
    }
    return sum;
}

/* The limit is read once before the loop, as a compiler does that keeps it in a register: the same mistake, by hand. */
long loop_cached(struct thread *t, long n) {
    unsigned long cached = atomic_load_explicit(&t->relaxed, memory_order_relaxed);
    long sum = 0;
    for (long i = 0; i < n; i++) {
        if (cached) return -1;
        sum += sum * i ^ i;
    }
    return sum;
}
