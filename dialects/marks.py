"""Attributes of gpux: what kernels, loops and accesses are marked with.

What they say is a fact, or a promise of whoever launches; unless it says otherwise, code without
the mark is right as well. An op's own properties are no marks; what launches look like (`OVER`,
`BLOCK_RANK`) is read by functions of `gpux.py`.
"""

# --- modules --------------------------------------------------------------------------------------

LEVEL = "gpux.level"
"""The level that the text of a module was printed at, where its ops do not tell it (grid, shader):
what reads the text goes on from there."""

# --- kernels --------------------------------------------------------------------------------------

OVER = "gpux.over"
"""r: launched with one thread per item of r axes. Three trailing `index` parameters are the extents
x, y, z, and threads whose global id is at or past the extent must not run."""
BLOCK_RANK = "gpux.block_rank"
"""r: blocks have one thread along the dimensions from r on."""
SMALL = "gpux.small"
"""Along each dimension at most `SMALL_GRID` blocks of at most `SMALL_BLOCK` threads, at most
`SMALL_SIZE` threads in all; no axis of an array and no extent is longer than `SMALL_SIZE`; elements
of one array are less than 2^31 elements apart. Then an index can be held in 32 bits, with room for
`block_id * 1024 + i` and `2 * i + 1`."""
SMALL_SIZE, SMALL_GRID, SMALL_BLOCK = 1 << 29, (1 << 21) - 1, 1024
MAX_GRID = (1 << 31) - 1
"""Blocks along one dimension in any launch, each of at most as many threads."""
SIZES = "gpux.sizes"
"""For which sizes of arrays and grids alone it is launched. A row (n, c, p, d, a, m, ...) is a sum
that is not above 0: n, and for each five numbers behind it c * ((v + a) // m), where v is the size
of axis d of parameter p (or the number p, if it is one), or where p is `GRID_SIZE` the blocks,
`BLOCK_SIZE` the threads of a block, and `GRID_THREADS` the threads, along dimension d, or
`SHARED_BYTES` the bytes of dynamic shared memory. So (0, -1, 0, 0, 0, 1, 1, 1, 0, 0, 1) says that
parameter 0 is at least as long as parameter 1. Where a launch can be held to such rows, the
attribute is there without any, and `remove-proven-checks` writes down those that it relies on."""
GRID_SIZE, BLOCK_SIZE, GRID_THREADS, SHARED_BYTES = -1, -2, -3, -4
STREAMS = "gpux.streams"
"""Launches write more than the caches hold, if each thread writes 4 bytes: stores that go past them
may be quicker."""
STREAMED = "gpux.streamed"
"""Which stores do, in words for people."""
MOST_THREADS = "gpux.most_threads"
"""How many threads blocks may have at most: the code has room for so many."""
WHOLE_SUBGROUPS = "gpux.whole_subgroups"
"""Blocks are multiples of a subgroup: the code is wrong for others."""
REMARKS = "gpux.remarks"
"""What stands for what the device lacks, and at what cost, in words for people."""
NOTES = "gpux.notes"
"""What else passes have to say: "title: place: text", in words for people."""
MATRIX_UNITS = "gpux.matrix_units"
"""The products that matrix units compute, in words for people."""
KERNEL = "gpux.kernel"
"""A function that is launched, where it is no `gpu.func` any more."""
PART = "gpux.part"
"""A function that was outlined from the kernel of this name, and the calls of it."""
BLOCK_IN_MEMORY = "gpux.block_in_memory"
"""A SPIR-V module reads its block of parameters from memory, not from push constants."""
PARAMETER_WORDS = "gpux.parameter_words"
"""For each parameter the place of its first word among those that a launch gives."""

# --- parameters of kernels ------------------------------------------------------------------------

ALIGNED_ROWS = "gpux.aligned_rows"
"""Each row of an array begins at a multiple of `llvm.align`, as the first does."""
ELEMENT = "gpux.element"
"""The type of the elements that are passed, where they lie in words because the device cannot store
them; those of 8 or 16 bits begin at `gpux.first_byte` of the first word."""

# --- loops ----------------------------------------------------------------------------------------

THREADS = "gpux.threads"
"""Iterations are threads: they may run in any order, or together."""
ROWS = "gpux.rows"
"""Iterations are rows of a block's threads, or planes of them: they may run in any order."""
VECTORS = "gpux.vectors"
"""Iterations are vectors of threads, or threads that are left over from these, without control
flow: LLVM has little to do there. The counter does not wrap, also when it is added to for the last
time."""
SUBGROUP = "gpux.subgroup"
"""With `THREADS`: they are one subgroup and have to run together."""
COLD = "gpux.cold"
"""It hardly ever runs."""
AS_IS = "gpux.as_is"
"""Of a cold loop and the function made of it: it only fails, so LLVM need not optimise it."""
COUNTS_UP = "gpux.counts_up"
"""It starts at or above 0 and its counter does not wrap, also when it is added to for the last
time."""
UNROLL = "gpux.unroll"
"""n: LLVM is asked to unroll it n times."""

# --- arrays, accesses, arithmetic -----------------------------------------------------------------

PRIVATE = "gpux.private"
"""An array that each thread has for itself, where address spaces are gone."""
OF_BLOCK = "gpux.of_block"
"""An alloca whose array is one for all threads of the block, or has a place for each."""
BUFFER = "gpux.buffer"
"""An access to what threads share: a race gives any of the values, so threads need no order."""
INVARIANT = "gpux.invariant"
"""The dimensions of an access whose indices the loop around it leaves alone."""
FETCH_AHEAD = "gpux.fetch_ahead"
"""Of a load or store of a vector: what lies so many bytes behind it is soon wanted."""
CHECKED = "gpux.checked"
"""A load or store of a matrix is to check its place, where the device takes a matrix from some
places only. The front end sets it; who writes IR knows where arrays lie."""
STRONG = "gpux.strong"
"""An atomic that has an order on a device whose atomics have one without being asked for it."""
IN_RANGE = "gpux.in_range"
"""Of a conversion of a float to an integer: there is one that is nearest towards zero."""
LOOSE = "gpux.loose"
"""The result of a `math.fma` may be rounded twice, as by a product and a sum."""

# --- for people and tests -------------------------------------------------------------------------

SPREAD = "gpux.spread"
"""How the results of an op differ between threads."""
WAY = "gpux.way"
"""How what steers a branch or loop differs between threads."""
