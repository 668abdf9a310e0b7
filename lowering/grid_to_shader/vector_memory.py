"""The rules of `split-vectors` for memory: elements one by one, or a piece at once.

    %v = vector.load %x[%i] : memref<?xf32, global>, vector<6xf32>

    %v0 = vector.load %x[%i] : …, vector<4xf32>            with vector_access
    %j = arith.addi %i, %four
    %v1 = vector.load %x[%j] : …, vector<2xf32>

A piece is accessed at once in a buffer of elements that the target has, if its features include
`vector_access` and no atomic goes to it (which could make it an array of other elements). Under a
mask each element has a selection of its own: what is not there is not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects import arith, memref, scf, vector
from xdsl.dialects.builtin import IndexType, i1
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpux
from ...dialects.arith import WRAPS
from ...dialects.arith_lanes import is_vector
from ...dialects.vector import GatherOp, ScatterOp
from ..conversion import Operands, Results, Rewriter, Rules
from ..memref_views import as_memref
from .features import ShaderFeatures
from .vector_pieces import constant, joined, lanes_of, scalars

RULES = Rules()
converts = RULES.converts
_INDEX = IndexType()


def is_whole(op: Operation, features: ShaderFeatures) -> bool:
    """Whether it is an access of a piece that is one on the target too."""
    return isinstance(op, vector.LoadOp | vector.StoreOp) and _takes_pieces(op.base, features)


def _takes_pieces(array: SSAValue, features: ShaderFeatures) -> bool:
    kind = as_memref(array.type)
    if "global" not in str(kind.memory_space) or not features.has("bda", "vector_access"):
        return False
    if kind.element_type == i1 or not features.native(kind.element_type):
        return False
    atomics = (gpux.AtomicRMWOp, gpux.AtomicCASOp)
    return not any(isinstance(use.operation, atomics) for use in array.uses)


def _after(rw: Rewriter, index: SSAValue, by: int) -> SSAValue:
    """The index of a later element."""
    return index if by == 0 else _plus(rw, index, constant(rw, by, _INDEX))


def _plus(rw: Rewriter, a: SSAValue, b: SSAValue) -> SSAValue:
    return rw.value(arith.AddiOp, (a, b), _INDEX, WRAPS)


def _given(op: Any) -> dict[str, Attribute]:
    """That the access is nontemporal, where that is said."""
    return {"nontemporal": op.nontemporal} if op.nontemporal is not None else {}


# --- consecutive elements -------------------------------------------------------------------------


@converts(vector.LoadOp)
def convert_load(op: vector.LoadOp, operands: Operands, rw: Rewriter) -> Results:
    """Pieces or elements, one after the other."""
    (array,), (index,) = operands
    kinds, whole = rw.types(op.result.type), _takes_pieces(op.base, rw.state)
    loaded: list[SSAValue] = []
    start = 0
    for kind in kinds:
        if whole and is_vector(kind):
            at = _after(rw, index, start)
            loaded.append(rw.value(vector.LoadOp, (array, at), kind, _given(op)))
        else:
            lanes = [_load(rw, array, _after(rw, index, start + n)) for n in range(lanes_of(kind))]
            loaded += joined(rw, lanes, [kind])
        start += lanes_of(kind)
    return [loaded]


def _load(rw: Rewriter, array: SSAValue, index: SSAValue) -> SSAValue:
    return rw.value(memref.LoadOp, (array, index), as_memref(array.type).element_type)


@converts(vector.StoreOp)
def convert_store(op: vector.StoreOp, operands: Operands, rw: Rewriter) -> Results:
    """Pieces or elements, one after the other."""
    pieces, (array,), (index,) = operands
    whole, start = _takes_pieces(op.base, rw.state), 0
    for piece in pieces:
        at = _after(rw, index, start)
        if whole and is_vector(piece.type):
            rw.create(vector.StoreOp, (piece, array, at), properties=_given(op))
        else:
            for number, lane in enumerate(scalars(rw, [piece])):
                rw.create(memref.StoreOp, (lane, array, _after(rw, at, number)))
        start += lanes_of(piece.type)
    return None


# --- under a mask ---------------------------------------------------------------------------------


def _loads(
    rw: Rewriter, array: SSAValue, places: Sequence[SSAValue], mask: Sequence[SSAValue],
    others: Sequence[SSAValue],
) -> list[SSAValue]:  # fmt: skip
    """Elements where the mask is set, else what is given instead."""
    kind = as_memref(array.type).element_type
    lanes: list[SSAValue] = []
    for place, there, other in zip(places, scalars(rw, mask), scalars(rw, others), strict=True):
        load = memref.LoadOp.create(operands=[array, place], result_types=[kind])
        yes = Block([load, scf.YieldOp.create(operands=load.results)])
        no = Block([scf.YieldOp.create(operands=[other])])
        lanes.append(_selection(rw, there, [kind], yes, no).results[0])
    return lanes


def _selection(
    rw: Rewriter, condition: SSAValue, kinds: Sequence[Attribute], yes: Block, no: Block | None
) -> Operation:
    otherwise = Region() if no is None else Region(no)
    made = scf.IfOp.create(
        operands=[condition], result_types=kinds, regions=[Region(yes), otherwise]
    )
    return rw.insert(made)


def _stores(
    rw: Rewriter, array: SSAValue, places: Sequence[SSAValue], mask: Sequence[SSAValue],
    values: Sequence[SSAValue],
) -> None:  # fmt: skip
    """Elements where the mask is set, one after the other."""
    for place, there, value in zip(places, scalars(rw, mask), scalars(rw, values), strict=True):
        store = memref.StoreOp.create(operands=[value, array, place])
        _selection(rw, there, [], Block([store, scf.YieldOp.create()]), None)


def _following(rw: Rewriter, index: SSAValue, mask: Sequence[SSAValue]) -> list[SSAValue]:
    """The places of consecutive elements, as many as a mask has lanes."""
    return [_after(rw, index, lane) for lane in range(sum(lanes_of(p.type) for p in mask))]


def _spread(rw: Rewriter, index: SSAValue, offsets: Sequence[SSAValue]) -> list[SSAValue]:
    """Places that are so many elements away from one."""

    def as_index(value: SSAValue) -> SSAValue:
        is_index = isinstance(value.type, IndexType)
        return value if is_index else rw.value(arith.IndexCastOp, (value,), _INDEX)

    return [_plus(rw, index, as_index(offset)) for offset in scalars(rw, offsets)]


@converts(vector.MaskedLoadOp)
def convert_masked_load(op: vector.MaskedLoadOp, operands: Operands, rw: Rewriter) -> Results:
    """A selection for each lane."""
    (array,), (index,), mask, others = operands
    lanes = _loads(rw, array, _following(rw, index, mask), mask, others)
    return [joined(rw, lanes, rw.types(op.results[0].type))]


@converts(vector.MaskedStoreOp)
def convert_masked_store(op: vector.MaskedStoreOp, operands: Operands, rw: Rewriter) -> Results:
    """A selection for each lane."""
    (array,), (index,), mask, values = operands
    _stores(rw, array, _following(rw, index, mask), mask, values)
    return None


@converts(GatherOp)
def convert_gather(op: GatherOp, operands: Operands, rw: Rewriter) -> Results:
    """A selection for each lane."""
    (array,), (index,), offsets, mask, others = operands
    lanes = _loads(rw, array, _spread(rw, index, offsets), mask, others)
    return [joined(rw, lanes, rw.types(op.results[0].type))]


@converts(ScatterOp)
def convert_scatter(op: ScatterOp, operands: Operands, rw: Rewriter) -> Results:
    """A selection for each lane, the last one last."""
    (array,), (index,), offsets, mask, values = operands
    _stores(rw, array, _spread(rw, index, offsets), mask, values)
    return None
