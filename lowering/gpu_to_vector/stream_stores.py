"""stream-stores: in launches that write more than the caches hold, stores go past these.

    scf.for %t = %lo to %hi step %c1 {        scf.if %whole {   // elements begin with lines
      %v = memref.load %x[%t]                   scf.for %t = %start to %end step %c16 {
      …                                           %v = vector.load %x[%t] : vector<16xf32>
      memref.store %w, %y[%t]           ->        …
    } {gpux.threads}                              vector.store %w, %y[%t] {nontemporal = true, …}
                                                }
                                                … %lo to %start, %end to %hi: vectors under a mask
                                              } else {
                                                … the loop {gpux.cold}
                                              }

A plain store to a line that is not in the cache reads it first, for nothing if all of it is
written: a third of what a copy moves. A streaming store does not, and is slower where the line is
in the cache. So it is for loops over threads

- without control flow, with one store, of consecutive elements, to an array that is not read;
- that compute so little that they wait for memory;
- in kernels without atomics and calls, which could tell other threads of what is not there yet.

Only code for large launches has them (`gpux.streams`, which the CPU device asks for by the number
of threads): two ways in one function would double what a kernel takes to compile. When a worker is
done, it waits until others see what it has stored (`runtime/cpu_blocks.ll`).

Streaming stores have to be of whole lines: in quarters, across two lines, a stencil takes 1.4 and a
normalisation of rows two times as long as with plain stores. So vectors are as long as a line, 64
bytes, and begin with one. LLVM's vectoriser leaves loops with such stores as they are.

Measured on an EPYC 9004 with 32 MiB of cache, two threads, time with streaming stores in units of
that with plain ones: a stencil of 5 points on 4096² 0.83 to 0.93, exp of 2^25 f32 0.76 to 0.96 (by
what others leave of the memory), both to arrays that no cache holds; a convolution of 3 x 3 on
4096², which computes 27 ops, 1.00 to 1.07. Of loops in C: a copy of 2^25 f32 0.70, of 16 MiB 1.3
and of 8 MiB 2.3; y = a * x + y, which reads what it writes, 1.25; a normalisation of 4096 rows of
1024 1.25.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import func, memref, scf
from xdsl.dialects.builtin import ArrayAttr, FixedBitwidthType, IndexType, ModuleOp, StringAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpux, marks
from ...dialects.diagnostics import location_of
from ...passes.analyses.divergence import Divergence, affine, is_function, is_private_array
from ...passes.utils.block_editing import constant_value
from ..emit.machine import LINE
from .cost import is_simple, waits_for_memory

_LEAST_THREADS = 256
"""Shorter rows have too few whole lines."""
_LEAST_BYTES = 4
"""Launches with narrower elements may not write more than the caches hold."""
_ACCESSES = (memref.LoadOp, memref.StoreOp)
_TELL = (gpux.AtomicRMWOp, gpux.AtomicCASOp, memref.AtomicRMWOp, func.CallOp)
"""Atomics, and what may have some in it."""


@dataclass(frozen=True)
class StreamStores(ModulePass):
    """Makes loops over threads, in kernels for large launches, ones over vectors stored so.

    Only where `wanted`: on processors whose streaming stores are known to be worth it.
    """

    name = "stream-stores"
    wanted: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.wanted:
            return
        for function in op.body.block.ops:
            if isinstance(function, func.FuncOp) and marks.STREAMS in function.attributes:
                _kernel(function)


def _kernel(function: func.FuncOp) -> None:
    from .stream_loops import split  # only large launches pay for loading it

    if any(isinstance(op, _TELL) for op in function.walk()):
        return
    loops = [op for op in function.walk() if marks.THREADS in op.attributes]
    places: dict[str, None] = {}
    for loop in loops:
        found = _stream_of(loop) if isinstance(loop, scf.ForOp) else None
        if found is not None and split(found):
            places[_place(found.store)] = None
    if places:
        lines = [StringAttr(place) for place in places]
        function.attributes[marks.STREAMED] = ArrayAttr[Attribute](lines)


def _place(store: memref.StoreOp) -> str:
    """Where a store is in the source, for `kernel.explain`."""
    place = location_of(store)
    return "a store" if place is None else f"{place.file}:{place.line}"


# --- which loops ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stream:
    """A loop over threads, its store, and what is known of its values."""

    loop: scf.ForOp
    store: memref.StoreOp
    spreads: Divergence

    @property
    def element(self) -> int:
        """Bytes of an element that is written."""
        return _size_of(self.store.value)

    @property
    def lanes(self) -> int:
        """Threads whose elements are a line."""
        return LINE // self.element


def _stream_of(loop: scf.ForOp) -> Stream | None:
    """What is to be streamed, if that pays."""
    low, high = constant_value(loop.lb), constant_value(loop.ub)
    is_short = low is not None and high is not None and high - low < _LEAST_THREADS
    stores = [op for op in loop.body.block.ops if isinstance(op, memref.StoreOp)]
    if constant_value(loop.step) != 1 or loop.iter_args or len(stores) != 1 or is_short:
        return None
    store = stores[0]
    accesses = [op for op in loop.body.block.ops if isinstance(op, _ACCESSES)]
    if not all(_is_plain(op) for op in loop.body.block.ops) or _size_of(store.value) < _LEAST_BYTES:
        return None
    if any(op is not store and op.memref is store.memref for op in accesses):
        return None
    spreads = Divergence(loop.body, {loop.body.block.args[0]: affine(1)})
    if not store.indices or spreads[store.indices[-1]].stride != 1:
        return None
    if not all(is_simple(op, spreads) for op in accesses):
        return None
    return Stream(loop, store, spreads) if waits_for_memory(loop, spreads) else None


def _is_plain(op: Operation) -> bool:
    """Whether an op is an access to an array, or a function of its operands."""
    if isinstance(op, _ACCESSES):
        return not is_private_array(op.memref)
    return not op.regions and (isinstance(op, scf.YieldOp) or is_function(op))


def _size_of(value: SSAValue) -> int:
    """Bytes of an element that lanes can have; 0 of others."""
    kind = value.type
    if isinstance(kind, IndexType):
        return 8
    return kind.size if isinstance(kind, FixedBitwidthType) else 0
