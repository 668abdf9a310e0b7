"""From a loop over threads to loops over vectors of threads: one lane for each thread.

vectorise_subgroups  the pass: which loops, and in how many lanes (fits, cost)
straight             loops without control flow: two vectors at once, then masked ones
store_positions      where the first store of such a loop goes
stream_stores        a pass before it: loops of launches that write more than the cache holds
stream_loops         what it makes of them
fetch_ahead          a pass after it: accesses whose next lines are to be fetched
vectors              the loop over vectors, and the last threads
region               the ops of a body in order, each by the file that knows it
lanes                values: scalars that all lanes have in common, bases of affine ones, vectors
control              branches and loops that lanes go through in different ways
together             branches and loops where lanes hardly part: two scalars say whether they do
memory               loads and stores: one place, consecutive places, any places
single               what has no vector form: once for each active lane; checks and atomics
again                what such a lane loads itself, rather than take it out of a vector
subgroups            subgroup operations, where a subgroup is a vector
"""
