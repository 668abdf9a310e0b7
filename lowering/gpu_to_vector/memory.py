"""Accesses to memory, by how the places of neighbouring lanes lie.

    one place for all lanes         memref.load; a store is that of the last lane
    consecutive along the last      vector.load, vector.store; under a mask maskedload, maskedstore;
    dimension, or backwards         backwards with the lanes exchanged
    at a known distance             as in `apart`; under a mask as anywhere
    each thread's own array         lanes lie side by side: %l[%k] becomes %lanes[%k, 0]
    anywhere                        vector.gather, vector.scatter
    views that differ by lane       one lane after the other

A lane that does not take part touches no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects import arith, memref, vector
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    FixedBitwidthType,
    MemRefType,
    NoneAttr,
    StridedLayoutAttr,
    VectorType,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.vector import GatherOp, ScatterOp
from ..memref_views import as_memref
from .apart import is_near, load_apart, load_near, store_apart
from .lanes import INDEX
from .single import single

if TYPE_CHECKING:
    from .region import Body


def load(body: Body, op: memref.LoadOp) -> None:
    """Write a load."""
    place = _place(body, op.memref, op.indices)
    if place is None:
        single(body, op)
    elif body.spreads[op.res].is_uniform:
        copy = memref.LoadOp.create(
            operands=[place.array, *place.indices],
            result_types=[op.res.type],
            properties=dict(op.properties),
            attributes=dict(op.attributes),
        )
        body.bind(op.res, body.value(copy))
    else:
        body.bind(op.res, place.load(body.vector_type(op.res.type)))


def store(body: Body, op: memref.StoreOp) -> None:
    """Write a store."""
    place = _place(body, op.memref, op.indices)
    if place is None:
        single(body, op)
        return
    if place.is_shared and (body.mask is None or body.spreads[op.value].is_uniform):
        last = body.number(body.width - 1)
        value = body.lane(op.value, last)
        copy = memref.StoreOp.create(
            operands=[value, place.array, *place.indices],
            properties=dict(op.properties),
            attributes=dict(op.attributes),
        )
        body.add(copy)
        return
    place.store(body.vector(op.value))


def is_masked_access(body: Body, op: Operation) -> bool:
    """Whether an op is an access that touches nothing if no lane takes part."""
    if not isinstance(op, memref.LoadOp | memref.StoreOp):
        return False
    if op.memref in body.own_arrays:
        return True
    differ = any(not body.spreads[index].is_uniform for index in op.indices)
    return differ and _has_place(body, op.memref, op.indices)


class _Place:
    """Where the lanes' elements are: `indices` are those of lane 0.

    `step` is how far neighbours are apart along the last dimension, 1 or -1, or 0 where they have
    one place in common; else `offsets` says for each lane how many elements it is further on, and
    `distance` how far neighbours are apart then, where that is known.
    """

    def __init__(
        self,
        body: Body,
        array: SSAValue,
        indices: Sequence[SSAValue],
        step: int = 0,
        offsets: SSAValue | None = None,
        distance: int | None = None,
    ) -> None:
        self.body = body
        self.array = array
        self.indices = list(indices)
        self.step = step
        self.offsets = offsets
        self.distance = distance if body.mask is None else None

    @property
    def is_shared(self) -> bool:
        return self.step == 0 and self.offsets is None

    def _first(self) -> list[SSAValue]:
        """The indices of the element with the lowest address."""
        if self.step != -1:
            return self.indices
        body, last = self.body, self.indices[-1]
        back = body.number(body.width - 1)
        return [*self.indices[:-1], body.binary(arith.SubiOp, last, back)]

    def _in_order(self, lanes: SSAValue) -> SSAValue:
        """Lanes in the order of their addresses, or back again."""
        if self.step != -1:
            return lanes
        order = DenseArrayBase.from_list(i64, list(reversed(range(self.body.width))))
        return self.body.value(
            vector.ShuffleOp.create(
                operands=[lanes, lanes], result_types=[lanes.type], properties={"mask": order}
            )
        )

    def _spread_out(self) -> SSAValue:
        """The offsets; those of lanes that share a place are zero."""
        body = self.body
        return body.number(0, body.vector_type(INDEX)) if self.offsets is None else self.offsets

    def load(self, type: Attribute) -> SSAValue:
        """Each lane's element; a lane that does not take part has any value."""
        body, mask = self.body, self.body.mask
        if self.distance is not None:
            near = is_near(self.distance) and _is_dense(as_memref(self.array.type))
            way = load_near if near else load_apart
            return way(body, self.array, self.indices, self.distance, type)
        if self.step == 0:
            other = body.number(0, type)
            operands = [self.array, *self.indices, self._spread_out(), body.all_lanes(), other]
            return body.value(_create(GatherOp, operands, type))
        if mask is None:
            operands = [self.array, *self._first()]
            return self._in_order(
                body.value(vector.LoadOp.create(operands=operands, result_types=[type]))
            )
        operands = [self.array, *self._first(), self._in_order(mask), body.number(0, type)]
        op = _create(vector.MaskedLoadOp, operands, type)
        return self._in_order(body.value(op))

    def store(self, value: SSAValue) -> None:
        """Store each lane's value."""
        body, mask = self.body, self.body.mask
        if self.distance is not None:
            store_apart(body, self.array, self.indices, self.distance, value)
        elif self.step == 0:
            lanes = body.all_lanes()
            operands = [self.array, *self.indices, self._spread_out(), lanes, value]
            body.add(_create(ScatterOp, operands))
        elif mask is None:
            self._store_parts(self._in_order(value), self._first())
        else:
            operands = [self.array, *self._first(), self._in_order(mask), self._in_order(value)]
            body.add(_create(vector.MaskedStoreOp, operands))

    def _store_parts(self, lanes: SSAValue, first: list[SSAValue]) -> None:
        """Store each register's lanes by an op of its own. Of one that is taken apart, LLVM orders
        the parts as it likes, and a normalisation of rows out of the cache takes a sixth longer
        where addresses do not ascend (on a Xeon)."""
        body = self.body
        type = cast("VectorType[Attribute]", lanes.type)
        element = type.element_type
        size = element.size if isinstance(element, FixedBitwidthType) else 8
        each = min(max(body.register // size, 1), body.width)
        for start in range(0, body.width, each):
            part, last = lanes, first[-1]
            if each < body.width:
                order = DenseArrayBase.from_list(i64, list(range(start, start + each)))
                part = body.value(
                    vector.ShuffleOp.create(
                        operands=[lanes, lanes],
                        result_types=[VectorType(element, [each])],
                        properties={"mask": order},
                    )
                )
            if start:
                last = body.binary(arith.AddiOp, last, body.number(start))
            body.add(vector.StoreOp.create(operands=[part, self.array, *first[:-1], last]))


def _create(
    kind: type[Operation], operands: Sequence[SSAValue], result: Attribute | None = None
) -> Operation:
    return kind.create(operands=operands, result_types=[] if result is None else [result])


# --- places ---------------------------------------------------------------------------------------


def _place(body: Body, array: SSAValue, indices: Sequence[SSAValue]) -> _Place | None:
    """Where the lanes' elements are; None if each lane sees another view."""
    spreads = [body.spreads[index] for index in indices]
    own = body.own_arrays.get(array)
    if own is not None:
        return _own_place(body, own, indices)
    if not _has_place(body, array, indices):
        return None
    new = body.scalar(array)
    if all(spread.is_uniform for spread in spreads):
        return _Place(body, new, [body.scalar(index) for index in indices])
    if all(spread.is_uniform for spread in spreads[:-1]):
        return _along_last(body, new, indices)
    common, offsets, distance = _apart(body, new, indices)
    if distance in (1, -1):
        return _Place(body, new, common, distance)
    return _Place(body, new, common, 0, offsets, distance)


def _has_place(body: Body, array: SSAValue, indices: Sequence[SSAValue]) -> bool:
    """Whether lanes see one array, in which offsets along the last dimension lead anywhere."""
    if not body.spreads[array].is_uniform:
        return False
    together = all(body.spreads[index].is_uniform for index in indices[:-1])
    return together or _is_dense(as_memref(array.type))


def _along_last(body: Body, array: SSAValue, indices: Sequence[SSAValue]) -> _Place:
    """Lanes differ in the last index only."""
    last, stride = indices[-1], body.spreads[indices[-1]].stride
    outer = [body.scalar(index) for index in indices[:-1]]
    if stride is None:
        return _Place(body, array, [*outer, body.number(0)], 0, body.vector(last))
    if stride in (1, -1) and _is_dense(as_memref(array.type)):
        return _Place(body, array, [*outer, body.scalar(last)], stride)
    steps = body.steps(stride, body.vector_type(INDEX))
    return _Place(body, array, [*outer, body.scalar(last)], 0, steps, stride)


def _is_dense(type: MemRefType[Attribute]) -> bool:
    """Whether elements along the last dimension lie next to each other."""
    layout = type.layout
    if isinstance(layout, StridedLayoutAttr):
        return bool(layout.get_strides()) and layout.get_strides()[-1] == 1
    return isinstance(layout, NoneAttr)


def _apart(
    body: Body, array: SSAValue, indices: Sequence[SSAValue]
) -> tuple[list[SSAValue], SSAValue, int | None]:
    """Lane 0's indices as far as they are scalars (0 for others), what is to be added in each lane,
    and how far neighbouring lanes are apart, if that is known."""
    strides = _strides(body, array)
    common: list[SSAValue] = []
    offsets: SSAValue | None = None
    distance: int | None = 0
    for index, stride in zip(indices, strides, strict=True):
        step, known = body.spreads[index].stride, body.known(stride)
        common.append(body.number(0) if step is None else body.scalar(index))
        if step == 0:
            continue
        part = body.vector(index) if step is None else body.steps(step, body.vector_type(INDEX))
        if known != 1:
            part = body.binary(arith.MuliOp, part, body.splat(stride))
        offsets = part if offsets is None else body.binary(arith.AddiOp, offsets, part)
        if distance is not None:
            distance = None if step is None or known is None else distance + step * known
    assert offsets is not None, "an index differs"
    return common, offsets, distance


def _strides(body: Body, array: SSAValue) -> list[SSAValue]:
    """How many elements lie between neighbours along each dimension."""
    type = as_memref(array.type)
    shape = type.get_shape()
    if isinstance(type.layout, StridedLayoutAttr):
        given = type.layout.get_strides()
        if None not in given:
            return [body.number(stride or 0) for stride in given]
        rank = len(shape)
        parts = memref.ExtractStridedMetaDataOp.create(
            operands=[array],
            result_types=[MemRefType(type.element_type, []), *[INDEX] * (1 + 2 * rank)],
        )
        return list(body.add(parts).results[2 + rank :])
    strides = [body.number(1)]
    for axis in range(len(shape) - 1, 0, -1):
        if shape[axis] == DYNAMIC_INDEX:
            operands = [array, body.number(axis)]
            size = body.value(memref.DimOp.create(operands=operands, result_types=[INDEX]))
        else:
            size = body.number(shape[axis])
        known = body.known(strides[0]), body.known(size)
        product = (
            body.number(known[0] * known[1])
            if known[0] is not None and known[1] is not None
            else body.binary(arith.MuliOp, strides[0], size)
        )
        strides.insert(0, product)
    return strides


def _own_place(body: Body, array: SSAValue, indices: Sequence[SSAValue]) -> _Place:
    """An element of each thread's own array; the last dimension of `array` is over lanes."""
    zero = body.number(0)
    if all(body.spreads[index].is_uniform for index in indices):
        return _Place(body, array, [*(body.scalar(index) for index in indices), zero], 1)
    lanes_of = body.vector_type(INDEX)
    common, offsets, _ = _apart(body, array, [*indices, zero])
    offsets = body.binary(arith.AddiOp, offsets, body.steps(1, lanes_of))
    return _Place(body, array, common, 0, offsets)
