/* The core of protocol.py and environment.py, written by hand in Promela: guest code, its check sites and slow path, and
   those who want something.  One statement, or one d_step, is one atomic step.

   spin -a -o2 -DN=1 -DCOORDINATOR -DINTERRUPTER core.pml && gcc -O2 -DNOREDUCE -DSAFETY -o pan pan.c && ./pan

   (-o2: without it Spin leaves words that are only written out of its states.)

   It was written from reading the text, and shares nothing with our compiler: equal counts say that what we take for one
   step, and for one state, is what a reader takes for it. */

#define STOP 1
#define INTERRUPT 4

#define MANAGED 0
#define NATIVE 1
#define PARKED 2

#define RUNNING 2               /* nobody asks for a handshake here, but who comes back looks whether one is run */
#define DEPTH 1                 /* frames that fit on a stack */

bit limit[N], entry[N];         /* the two trigger words: 1 is poisoned */
byte pending[N];
byte owed[N];                   /* ghost: posted, and not yet taken; what is taken is in `bits` until it is served */
byte state[N];
byte operation[N];
bit wake[N];
bit stop, lock;

/* What is left of serving when the world need not be waited for; then the push is tried again.  Steps share it, so it is no
   step itself.  `want`: where the wanted frame would end; 0 at a back-edge, and on the way out of native code. */
inline finish() {
  if
  :: bits & INTERRUPT -> end = 0                                           /* raised: unwinds to the first frame */
  :: else ->
     if
     :: want > DEPTH -> end = 0                                           /* RecursionError, raised like any other */
     :: want > 0 && want <= DEPTH -> end = want
     :: else
     fi
  fi;
  bits = 0; want = 0
}

inline take() { bits = pending[_pid]; pending[_pid] = 0; owed[_pid] = owed[_pid] & ~bits }

active [N] proctype mutator() { /* the first N processes, so that _pid is the thread's number */
  byte end, want, bits;
guest:
  if
  :: d_step { limit[_pid] || end == DEPTH -> want = end + 1 }; goto slow
  :: d_step { !limit[_pid] && end < DEPTH -> end++ }; goto guest
  :: d_step { end > 0 -> end-- }; goto guest            /* a return */
  :: entry[_pid] -> goto slow                           /* a back-edge whose check fails */
  :: !entry[_pid] -> goto guest                         /* and one whose check does not */
  :: state[_pid] = NATIVE -> goto reenter
  fi;
slow:
  limit[_pid] = 0;
  entry[_pid] = 0;
  if                                                    /* the take: every bit at once */
  :: d_step { pending[_pid] & STOP -> take() }; goto park
  :: d_step { !(pending[_pid] & STOP) -> take(); finish() }; goto guest
  fi;
park:
  state[_pid] = PARKED;
  stop == 0;
reenter:
  state[_pid] = MANAGED;
  if
  :: stop == 1 -> goto park
  :: stop == 0
  fi;
  d_step { operation[_pid] != RUNNING -> finish() };
  goto guest
}

/* The first access of a post is written where it is, because who posts chooses whom to post to in that same step. */
inline rest_of_post(t) {
  limit[t] = 1;
  entry[t] = 1
}

#ifdef COORDINATOR
active proctype coordinator() {
  byte t;
begin:
  if :: d_step { lock == 0 -> lock = 1 } fi;
  stop = 1;
  do
  :: d_step { t < N -> pending[t] = pending[t] | STOP; owed[t] = owed[t] | STOP };
     rest_of_post(t);
     if
     :: d_step { t < N - 1 -> wake[t] = 1; t++ }
     :: d_step { t == N - 1 -> wake[t] = 1; t = 0 }; break
     fi
  od;
  do
  :: d_step { t < N - 1 && state[t] != MANAGED -> t++ }
  :: d_step { t == N - 1 && state[t] != MANAGED -> t = 0 }; break
  od;
  assert(!mutator[0]@guest);                            /* the world is stopped */
  stop = 0;
  lock = 0;
  goto begin
}
#endif

#ifdef INTERRUPTER
active proctype interrupter() {
  byte t;
begin:
  if
  :: d_step { pending[0] = pending[0] | INTERRUPT; owed[0] = owed[0] | INTERRUPT; t = 0 }
#if N > 1
  :: d_step { pending[1] = pending[1] | INTERRUPT; owed[1] = owed[1] | INTERRUPT; t = 1 }
#endif
  fi;
  rest_of_post(t);
  d_step { wake[t] = 1; t = 0 };
  goto begin
}
#endif
