"""From one thread of a block to one function that runs a whole block.

lower       the pass: function signature, order of the steps
split       the plan: what is a loop over threads, what is control flow around such loops
uniform     which values are the same for all threads of the block or subgroup
live        which values are kept per thread, which are made again
emit        a plan as code; scopes: the loops; frame: where a loop's body finds its values
ids         where a thread is: block, place in the block, lane
control     control flow around loops over threads: checked to be uniform, or under masks
collective  subgroup ops
builder     writing ops
"""
