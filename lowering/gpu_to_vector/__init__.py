"""From a loop over threads to loops over vectors of threads: one lane for each thread.

vectorise_subgroups  the pass: which loops, how many lanes, the last lanes of a loop
region               the ops of a body in order, each by the file that knows it
lanes                values: scalars that all lanes have in common, bases of affine ones, vectors
control              branches and loops that lanes go through in different ways
memory               loads and stores: one place, consecutive places, any places
single               what has no vector form: once for each active lane; checks and atomics
"""
