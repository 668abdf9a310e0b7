"""Accesses of lanes whose elements lie at a known distance from each other, all lanes taking part.

    %v = memref.load %x[3 * %t]         %a = vector.load %x[%b], %x[%b + 4], … up to the last lane's
                                        %v = vector.shuffle … [0, 3, 6, 9]
    %v = memref.load %x[%t, %k]         %e = memref.load %x[%b, %k], %x[%b, %k + 17], …
      (a row has 17 elements)           %v = vector.from_elements %e, …
    stores                              each lane's element

Gathers and scatters are no better than that on any machine, and on many of them much worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects import arith, memref, vector
from xdsl.dialects.builtin import DenseArrayBase, VectorType, i64
from xdsl.ir import Attribute, SSAValue

from ...dialects.vector import FromElementsOp

if TYPE_CHECKING:
    from .region import Body

_NEAR = 4
"""Up to this distance, whole vectors with all that lies between are loaded."""


def load_apart(
    body: Body, array: SSAValue, first: Sequence[SSAValue], distance: int, type: Attribute
) -> SSAValue:
    """The elements of all lanes; `first` is lane 0's, others follow along the last dimension."""
    element = cast("VectorType[Attribute]", type).element_type
    loads = [
        memref.LoadOp.create(operands=[array, *place], result_types=[element])
        for place in _places(body, first, [lane * distance for lane in range(body.width)])
    ]
    lanes = [body.value(op) for op in loads]
    return body.value(FromElementsOp.create(operands=lanes, result_types=[type]))


def store_apart(
    body: Body, array: SSAValue, first: Sequence[SSAValue], distance: int, value: SSAValue
) -> None:
    """Store the elements of all lanes, in their order."""
    places = _places(body, first, [lane * distance for lane in range(body.width)])
    for lane, place in enumerate(places):
        element = body.extract(value, body.number(lane))
        body.add(memref.StoreOp.create(operands=[element, array, *place]))


def is_near(distance: int) -> bool:
    """Whether what lies between neighbouring lanes is loaded with them."""
    return 1 < distance <= _NEAR


def load_near(
    body: Body, array: SSAValue, first: Sequence[SSAValue], distance: int, type: Attribute
) -> SSAValue:
    """As `load_apart`, of elements side by side in memory: whole vectors, and lanes out of them.

    The last vector ends with the last lane's element: nothing behind that is touched.
    """
    width = body.width
    last = (width - 1) * distance
    starts = [min(part * width, last + 1 - width) for part in range(distance)]
    found: SSAValue | None = None
    filled = 0
    for start, place in zip(starts, _places(body, first, starts), strict=True):
        part = body.value(vector.LoadOp.create(operands=[array, *place], result_types=[type]))
        inside = range(-(-start // distance), min(width, (start + width - 1) // distance + 1))
        order = list(range(width))
        for lane in inside:
            if lane >= filled:
                order[lane] = lane * distance - start + (0 if found is None else width)
        filled = inside.stop
        mask = DenseArrayBase.from_list(i64, order)
        found = body.value(
            vector.ShuffleOp.create(
                operands=[part if found is None else found, part],
                result_types=[type],
                properties={"mask": mask},
            )
        )
    assert found is not None, "there is at least one vector"
    return found


def _places(
    body: Body, first: Sequence[SSAValue], distances: Sequence[int]
) -> list[list[SSAValue]]:
    """Indices so many elements further along the last dimension."""
    *outer, last = first
    return [
        [*outer, last if not each else body.binary(arith.AddiOp, last, body.number(each))]
        for each in distances
    ]
