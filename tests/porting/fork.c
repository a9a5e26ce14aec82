/* fork while another thread holds a lock: what the child finds.  With an argument: the lock is taken by pthread_atfork's handlers. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t vm_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t locked, release;

static void *other(void *unused) {
    pthread_mutex_lock(&vm_lock);
    sem_post(&locked);
    sem_wait(&release);
    pthread_mutex_unlock(&vm_lock);
    return unused;
}

static void prepare(void) {
    sem_post(&release); /* or the other would hold it for ever here, and this test would wait */
    pthread_mutex_lock(&vm_lock);
}
static void after(void) { pthread_mutex_unlock(&vm_lock); }

int main(int count, char **unused) {
    (void)unused;
    pthread_t thread;
    if (sem_init(&locked, 0, 0) || sem_init(&release, 0, 0) || pthread_create(&thread, 0, other, 0)) return 1;
    sem_wait(&locked);
    if (count > 1 && pthread_atfork(prepare, after, after)) return 1;
    pid_t child = fork();
    if (child < 0) return 1;
    if (!child) _exit(pthread_mutex_trylock(&vm_lock) == EBUSY ? 3 : 4);
    int status;
    if (waitpid(child, &status, 0) != child) return 1;
    sem_post(&release);
    pthread_join(thread, 0);
    printf("in the child the lock is %s\n", WEXITSTATUS(status) == 3 ? "held by a thread that it has not" : "free");
    return 0;
}
