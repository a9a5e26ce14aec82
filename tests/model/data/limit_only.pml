/* The protocol of limit_only.py, written by hand in Promela: one statement, or one d_step, is one atomic step.

   spin -a -DN=2 limit_only.pml && gcc -O2 -DNOREDUCE -DSAFETY -o pan pan.c && ./pan

   It shares nothing with our compiler, so that equal counts say that our steps are the ones that were meant. */

#define MANAGED 0
#define NATIVE 1
#define PARKED 2
#define DEPTH 1

byte state[N];
bit limit[N];                   /* 1: poisoned */
bit pending[N];
bit stop;
bit lock;

active [N] proctype mutator() { /* the first N processes, so that _pid is the thread's number */
  byte depth;
  bit over;
managed:
  if
  :: d_step { (limit[_pid] == 1 || depth == DEPTH) -> over = (depth == DEPTH) }; goto slow
  :: d_step { !(limit[_pid] == 1 || depth == DEPTH) -> depth++ }; goto managed
  :: d_step { depth > 0 -> depth-- }; goto managed
  :: limit[_pid] == 1 -> goto slow                  /* a back-edge whose check fails */
  :: limit[_pid] == 0 -> goto managed               /* and one whose check does not */
  :: state[_pid] = NATIVE -> goto reenter
  fi;
slow:
  limit[_pid] = 0;
take:
  if
  :: d_step { pending[_pid] != 0 -> pending[_pid] = 0; over = 0 }; goto park
  :: d_step { pending[_pid] == 0 -> depth = (over -> 0 : depth); over = 0 }; goto managed
  fi;
park:
  state[_pid] = PARKED;
parked:
  stop == 0;
reenter:
  state[_pid] = MANAGED;
recheck:
  if
  :: stop == 1 -> goto park
  :: stop == 0 -> goto managed
  fi
}

active proctype coordinator() {
  byte k;
idle:
  if :: d_step { lock == 0 -> lock = 1 } fi;        /* a label may not stand on a d_step itself */
  stop = 1;
post:
  pending[k] = 1;
  if
  :: d_step { k < N - 1 -> limit[k] = 1; k++ }; goto post
  :: d_step { k == N - 1 -> limit[k] = 1; k = 0 }; goto await
  fi;
await:
  if
  :: d_step { (state[k] != MANAGED) && k < N - 1 -> k++ }; goto await
  :: d_step { (state[k] != MANAGED) && k == N - 1 -> k = 0 }; goto critical
  fi;
critical:
  stop = 0;
  lock = 0;
  goto idle
}
