"""Instructions of NVIDIA GPUs on arrays: addresses and asynchronous copies.

An array's element becomes an address by a view of it; 16 bytes from there are inside the array, as
the checks of the first and the last element say.
"""

from __future__ import annotations

import ast
from math import prod
from typing import TYPE_CHECKING

from xdsl.dialects import arith, memref

from ..dialects import gpu
from ..dialects.predicates import EQ, ULT
from .arrays import checked_index, dimension
from .checks import check
from .convert import materialise, store_as, to_index
from .emitter import I32, I64, INDEX
from .functions import Function
from .nvidia_emit import emit, inline, require, static_bool
from .operators import binary
from .slices import element_view, strides_of
from .types import DTYPES, DType, u32, u64
from .typing_of import describe
from .values import Scalar, Static, TupleValue, Value, View, static_int

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdsl.ir import SSAValue

    from .frame import Frame


_INDEX = DTYPES["index"]
NONE, FALSE = Static(None), Static(False)


def address_of(
    frame: Frame, node: ast.AST, name: str, value: Value, index: Value, count_bytes: int
) -> tuple[Scalar, View]:
    """The address of an element from which so many bytes are in its row (0: the element only)."""
    if not isinstance(value, View):
        raise frame.refuse(
            node, f"sw.nvidia.{name} takes an array of scalars, got {describe(value)}"
        )
    indices = _indices(frame, node, value, index)
    count = max(count_bytes // value.dtype.size, 1)
    lengths = [*[1] * (len(indices) - 1), count]
    places = checked_places(frame, node, value, indices, lengths, f"the array of {name}")
    if count == 1:
        return element_address(frame, value, places), value
    return _row_address(frame, node, name, value, places), value


def _indices(frame: Frame, node: ast.AST, view: View, index: Value) -> tuple[Value, ...]:
    """One for each axis."""
    indices = index.items if isinstance(index, TupleValue) else (index,)
    if len(indices) != len(view.sizes):
        raise frame.refuse(node, f"{len(indices)} indices for an array with {len(view.sizes)} axes")
    return indices


def checked_places(
    frame: Frame,
    node: ast.AST,
    view: View,
    indices: Sequence[Value],
    lengths: Sequence[int],
    what: str,
) -> list[SSAValue]:
    """The indices of an element, from which so many along each axis are in the array."""
    places: list[SSAValue] = []
    for axis, (item, length) in enumerate(zip(indices, lengths, strict=True)):
        place = checked_index(frame, node, view, axis, item, what)
        places.append(place)
        if length > 1:
            known = known_place(item, view.sizes[axis])
            first = Scalar(_INDEX, place) if known is None else Static(known)
            last = binary(frame, node, ast.Add, first, Static(length - 1))
            checked_index(frame, node, view, axis, last, what)
    return places


def known_place(item: Value, size: int | None) -> int | None:
    """A constant index, counted from the start; None where that is not known."""
    known = static_int(item)
    if known is not None and known < 0:
        known = None if size is None else known + size
    return known


def expect_rows(frame: Frame, node: ast.AST, name: str, view: View, axis: int = -1) -> None:
    """Refuse an array whose elements are known not to lie row by row from this axis on."""
    strides, _ = strides_of(view.type)
    sizes = view.type.get_shape()
    dense = [prod(sizes[n + 1 :]) for n in range(len(sizes))]
    pairs = zip(strides[axis:], dense[axis:], strict=True)
    if any(stride not in (wanted, None) for stride, wanted in pairs):
        raise frame.refuse(
            node, f"the elements of a row are not side by side, which sw.nvidia.{name} needs"
        )


def _row_address(
    frame: Frame, node: ast.AST, name: str, view: View, places: list[SSAValue]
) -> Scalar:
    """The address of an element, whose neighbours in the row are to be its neighbours in memory."""
    expect_rows(frame, node, name, view)
    emitter, found = frame.emit, element_address(frame, view, places)
    if strides_of(view.type)[0][-1] is None and frame.unit.checks:
        after = emitter.binary(arith.AddiOp, places[-1], emitter.index(1), _INDEX)
        following = element_address(frame, view, [*places[:-1], after])
        step = emitter.binary(arith.SubiOp, following.ssa, found.ssa, found.dtype)
        size = emitter.constant(view.dtype.size, found.dtype)
        check(
            frame,
            emitter.compare(EQ, step, size, floats=False),
            "alignment",
            f"the elements of a row are not side by side, which sw.nvidia.{name} needs",
        )
    return found


def element_address(frame: Frame, view: View, places: list[SSAValue]) -> Scalar:
    """The address of an element as a number: u32 in shared memory, else u64."""
    element = element_view(frame, view, places)
    number = frame.emit.add(memref.ExtractAlignedPointerAsIndexOp, (element,), (INDEX,))
    dtype, kind = (u32, I32) if _is_shared(view) else (u64, I64)
    return Scalar(dtype, frame.emit.add(arith.IndexCastOp, (number,), (kind,)))


def _is_shared(view: View) -> bool:
    return view.type.memory_space == gpu.WORKGROUP


def expect_shared(frame: Frame, node: ast.AST, name: str, view: View) -> None:
    """Refuse an array that is not in shared memory."""
    if not _is_shared(view):
        raise frame.refuse(node, f"sw.nvidia.{name} expects an array in shared memory (sw.shared)")


def expect_global(frame: Frame, node: ast.AST, name: str, view: View) -> None:
    """Refuse an array that is not in global memory."""
    if _is_shared(view) or view.type.memory_space == gpu.PRIVATE:
        raise frame.refuse(
            node, f"sw.nvidia.{name} expects an array in global memory (a parameter)"
        )


def shared_address(
    frame: Frame, node: ast.AST, name: str, view: Value, index: Value, count_bytes: int
) -> tuple[SSAValue, View]:
    """The address of an element in shared memory, as `address_of`, and the array."""
    address, array = address_of(frame, node, name, view, index, count_bytes)
    expect_shared(frame, node, name, array)
    return address.ssa, array


def _address_of(frame: Frame, node: ast.AST, view: Value, index: Value) -> Value:
    require(frame, node, "sw.nvidia.address", 75)
    address, array = address_of(frame, node, "address", view, index, 0)
    if array.type.memory_space == gpu.PRIVATE:
        raise frame.refuse(node, "an array of sw.local has no address; it lives in registers")
    frame.mark_written(array)  # whoever has the address may store there
    return address


def _map_address(frame: Frame, node: ast.AST, address: Value, rank: Value) -> Value:
    require(frame, node, "sw.nvidia.mapa", 90)
    operands = [
        store_as(frame, node, value, u32, f"{what} of sw.nvidia.mapa").ssa
        for what, value in (("address", address), ("rank", rank))
    ]
    text = "mapa.shared::cluster.u32 $0, $1, $2;"
    return emit(frame, "inline_ptx", operands, (u32,), ptxCode=text, sm=90)


def _copy(
    frame: Frame, node: ast.AST, shared: Value, index: Value, source: Value, source_index: Value,
    count: Value = NONE, zero_fill: Value = FALSE,
) -> Value:  # fmt: skip
    name = "cp_async"
    require(frame, node, f"sw.nvidia.{name}", 80)
    if not isinstance(shared, View) or not isinstance(source, View):
        other = source if isinstance(shared, View) else shared
        raise frame.refuse(node, f"sw.nvidia.{name} takes arrays, got {describe(other)}")
    expect_global(frame, node, name, source)
    if shared.dtype is not source.dtype:
        raise frame.refuse(node, f"{name} from an array of {source.dtype} to one of {shared.dtype}")
    nbytes = _copied_bytes(frame, node, count, shared.dtype)
    to, _ = shared_address(frame, node, name, shared, index, nbytes)
    operands, used = [to], ""
    if static_bool(frame, node, "zero_fill", zero_fill):
        operands += _part_inside(frame, node, source, source_index, nbytes)
        used = ", $2"
    else:
        operands.append(address_of(frame, node, name, source, source_index, nbytes)[0].ssa)
    cache = "cg" if nbytes == 16 else "ca"
    text = f"cp.async.{cache}.shared.global [$0], [$1], {nbytes}{used};"
    return inline(frame, text, operands, sm=80)


def _copied_bytes(frame: Frame, node: ast.AST, count: Value, dtype: DType) -> int:
    if isinstance(count, Static) and count.value is None:
        return 16
    nbytes = (static_int(count) or 0) * dtype.size
    if nbytes not in (4, 8, 16):
        raise frame.refuse(
            node,
            f"count is {describe(count)}, expected a constant number of elements {dtype} that take "
            "4, 8 or 16 bytes",
        )
    return nbytes


def _part_inside(
    frame: Frame, node: ast.AST, view: View, index: Value, nbytes: int
) -> tuple[SSAValue, SSAValue]:
    """The address of an element, and how many of so many bytes from there are in the array.

    Where the element itself is outside, the address is another one, and no byte is inside.
    """
    emitter, size = frame.emit, view.dtype.size
    indices = _indices(frame, node, view, index)
    zero, left = emitter.index(0), emitter.index(nbytes // size)
    places: list[SSAValue] = []
    for axis, item in enumerate(indices):
        place = to_index(frame, node, item, "an index")
        end = materialise(frame, node, dimension(frame, view, axis), _INDEX).ssa
        inside = emitter.compare(ULT, place, end, floats=False)  # no index below 0 is
        place = emitter.select(inside, place, zero, _INDEX)
        if axis == len(indices) - 1:
            rest = emitter.binary(arith.SubiOp, end, place, _INDEX)
            left = emitter.binary(arith.MinSIOp, left, rest, _INDEX)
        left = emitter.select(inside, left, zero, _INDEX)
        places.append(place)
    count = emitter.add(arith.IndexCastOp, (left,), (I32,))
    return (
        _row_address(frame, node, "cp_async", view, places).ssa,
        emitter.binary(arith.MuliOp, count, emitter.constant(size, u32), u32),
    )


def _commit(frame: Frame, node: ast.AST) -> Value:
    require(frame, node, "sw.nvidia.cp_async_commit", 80)
    return emit(frame, "cp.async.commit.group", (), ())


def _wait(frame: Frame, node: ast.AST, groups: Value) -> Value:
    require(frame, node, "sw.nvidia.cp_async_wait", 80)
    known = static_int(groups)
    if known is None or known < 0:
        raise frame.refuse(node, f"groups is {describe(groups)}, expected a constant from 0 on")
    return emit(frame, "cp.async.wait.group", (), (), n=known)


_TO_AND_FROM = ("shared", "index", "source", "source_index")
MEMORY_FUNCTIONS: dict[str, Function] = {
    "address": Function("sw.nvidia.address", _address_of, ("view", "index")),
    "mapa": Function("sw.nvidia.mapa", _map_address, ("address", "rank")),
    "cp_async": Function(
        "sw.nvidia.cp_async",
        _copy,
        (*_TO_AND_FROM, "count", "zero_fill"),
        ("count", "zero_fill"),
    ),
    "cp_async_commit": Function("sw.nvidia.cp_async_commit", _commit),
    "cp_async_wait": Function("sw.nvidia.cp_async_wait", _wait, ("groups",)),
}
