----------------------------- MODULE limit_only -----------------------------
\* The protocol of limit_only.py, written by hand in TLA+: the same atomic steps.
\* limit_only.cfg: SPECIFICATION Spec, CONSTANTS N = 2, D = 1.  Run TLC with -deadlock: its check is not needed for counts.
EXTENDS Naturals
CONSTANTS N, D
VARIABLES pc, depth, over, limit, pending, state, stop, lock, rpc, k

M == 0..(N - 1)
vars == <<pc, depth, over, limit, pending, state, stop, lock, rpc, k>>
Mine == <<pc, depth, over>>                         \* what only mutators write
Theirs == <<rpc, k, lock>>                          \* what only the coordinator writes, beside stop

Init == /\ pc = [i \in M |-> "managed"] /\ depth = [i \in M |-> 0] /\ over = [i \in M |-> 0]
        /\ limit = [i \in M |-> 0] /\ pending = [i \in M |-> 0] /\ state = [i \in M |-> "MANAGED"]
        /\ stop = 0 /\ lock = 0 /\ rpc = "idle" /\ k = 0

Go(i, l) == pc' = [pc EXCEPT ![i] = l]

Push(i) == /\ pc[i] = "managed"
           /\ IF limit[i] = 1 \/ depth[i] = D
              THEN Go(i, "slow") /\ over' = [over EXCEPT ![i] = IF depth[i] = D THEN 1 ELSE 0] /\ UNCHANGED depth
              ELSE depth' = [depth EXCEPT ![i] = @ + 1] /\ UNCHANGED <<pc, over>>
           /\ UNCHANGED <<limit, pending, state, stop, Theirs>>
Pop(i) == /\ pc[i] = "managed" /\ depth[i] > 0 /\ depth' = [depth EXCEPT ![i] = @ - 1]
          /\ UNCHANGED <<pc, over, limit, pending, state, stop, Theirs>>
BackEdge(i) == /\ pc[i] = "managed" /\ IF limit[i] = 1 THEN Go(i, "slow") ELSE UNCHANGED pc
               /\ UNCHANGED <<depth, over, limit, pending, state, stop, Theirs>>
Native(i) == /\ pc[i] = "managed" /\ state' = [state EXCEPT ![i] = "NATIVE"] /\ Go(i, "reenter")
             /\ UNCHANGED <<depth, over, limit, pending, stop, Theirs>>
Restore(i) == /\ pc[i] = "slow" /\ limit' = [limit EXCEPT ![i] = 0] /\ Go(i, "take")
              /\ UNCHANGED <<depth, over, pending, state, stop, Theirs>>
Take(i) == /\ pc[i] = "take" /\ pending' = [pending EXCEPT ![i] = 0] /\ over' = [over EXCEPT ![i] = 0]
           /\ IF pending[i] /= 0 THEN Go(i, "park") /\ UNCHANGED depth
              ELSE Go(i, "managed") /\ depth' = [depth EXCEPT ![i] = IF over[i] = 1 THEN 0 ELSE @]
           /\ UNCHANGED <<limit, state, stop, Theirs>>
Park(i) == /\ pc[i] = "park" /\ state' = [state EXCEPT ![i] = "PARKED"] /\ Go(i, "parked")
           /\ UNCHANGED <<depth, over, limit, pending, stop, Theirs>>
Parked(i) == /\ pc[i] = "parked" /\ stop = 0 /\ Go(i, "reenter")
             /\ UNCHANGED <<depth, over, limit, pending, state, stop, Theirs>>
Reenter(i) == /\ pc[i] = "reenter" /\ state' = [state EXCEPT ![i] = "MANAGED"] /\ Go(i, "recheck")
              /\ UNCHANGED <<depth, over, limit, pending, stop, Theirs>>
Recheck(i) == /\ pc[i] = "recheck" /\ Go(i, IF stop = 1 THEN "park" ELSE "managed")
              /\ UNCHANGED <<depth, over, limit, pending, state, stop, Theirs>>
Mutator(i) == \/ Push(i) \/ Pop(i) \/ BackEdge(i) \/ Native(i) \/ Restore(i) \/ Take(i)
              \/ Park(i) \/ Parked(i) \/ Reenter(i) \/ Recheck(i)

Lock == /\ rpc = "idle" /\ lock = 0 /\ lock' = 1 /\ rpc' = "stop"
        /\ UNCHANGED <<Mine, limit, pending, state, stop, k>>
Stop == /\ rpc = "stop" /\ stop' = 1 /\ rpc' = "post"
        /\ UNCHANGED <<Mine, limit, pending, state, lock, k>>
Post == /\ rpc = "post" /\ rpc' = "poison" /\ pending' = [pending EXCEPT ![k] = 1]
        /\ UNCHANGED <<Mine, limit, state, stop, lock, k>>
Poison == /\ rpc = "poison" /\ limit' = [limit EXCEPT ![k] = 1]
          /\ IF k < N - 1 THEN k' = k + 1 /\ rpc' = "post" ELSE k' = 0 /\ rpc' = "await"
          /\ UNCHANGED <<Mine, pending, state, stop, lock>>
Await == /\ rpc = "await" /\ state[k] /= "MANAGED"
         /\ IF k < N - 1 THEN k' = k + 1 /\ UNCHANGED rpc ELSE k' = 0 /\ rpc' = "critical"
         /\ UNCHANGED <<Mine, limit, pending, state, stop, lock>>
Critical == /\ rpc = "critical" /\ stop' = 0 /\ rpc' = "release"
            /\ UNCHANGED <<Mine, limit, pending, state, lock, k>>
Release == /\ rpc = "release" /\ lock' = 0 /\ rpc' = "idle"
           /\ UNCHANGED <<Mine, limit, pending, state, stop, k>>
Coordinator == Lock \/ Stop \/ Post \/ Poison \/ Await \/ Critical \/ Release

Next == (\E i \in M : Mutator(i)) \/ Coordinator
Spec == Init /\ [][Next]_vars
=============================================================================
