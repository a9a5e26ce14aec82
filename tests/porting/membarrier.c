/* The asymmetric fence: register once, then the requester's call stands for the fence of every thread of the process. */
#include <linux/membarrier.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int state, stop;

/* The way back to guest code: two plain accesses, which the compiler keeps in this order. */
int reenter(void) {
    atomic_store_explicit(&state, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* for the compiler alone: no instruction */
    return atomic_load_explicit(&stop, memory_order_relaxed);
}

int reenter_fenced(void) {
    atomic_exchange(&state, 1);
    return atomic_load(&stop);
}

int main(void) {
    long before = syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    long registered = syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    long after = syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    printf("before %ld, registered %ld, after %ld\n", before, registered, after);
    return reenter() + reenter_fenced();
}
