"""What memref types and ops say of a view, for every lowering that takes views apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, cast

from xdsl.dialects import memref
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, NoneAttr, StridedLayoutAttr
from xdsl.ir import Attribute, SSAValue

from .conversion import CannotConvert, Operands

DYNAMIC = DYNAMIC_INDEX
Size: TypeAlias = int | SSAValue
AnyMemRef: TypeAlias = MemRefType[Attribute]


def as_memref(kind: Attribute) -> AnyMemRef:
    """The type as a memref, which it has to be."""
    assert isinstance(kind, MemRefType), f"a memref, not {kind}"
    return cast(AnyMemRef, kind)


def strides_of(kind: MemRefType) -> Sequence[int | None] | None:
    """The strides of a strided layout (None where dynamic), none at all for a contiguous one."""
    layout = kind.layout
    if isinstance(layout, NoneAttr):
        return None
    if isinstance(layout, StridedLayoutAttr):
        return layout.get_strides()
    raise CannotConvert(f"a memref with the layout {layout} (only strided ones can be lowered)")


def unknown_parts(
    kind: Attribute, sizes: Sequence[Size], strides: Callable[[], Sequence[Size]]
) -> list[Size]:
    """Of the sizes and strides of a view those that a memref type does not know."""
    kind = as_memref(kind)
    found = [size for known, size in zip(kind.get_shape(), sizes, strict=True) if known == DYNAMIC]
    known_strides = strides_of(kind)
    if known_strides is not None and None in known_strides:
        pairs = zip(known_strides, strides(), strict=True)
        found += [stride for known, stride in pairs if known is None]
    return found


class ViewParts:
    """What a memref type leaves open, for each dimension: its size and its stride.

    `strides` is None for a contiguous memref, whose strides follow from its sizes.
    """

    def __init__(self, kind: Attribute, values: Iterable[SSAValue]) -> None:
        self.kind = as_memref(kind)
        rest = iter(values)
        self.sizes: list[Size] = [
            next(rest) if size == DYNAMIC else size for size in self.kind.get_shape()
        ]
        strides = strides_of(self.kind)
        self.strides: list[Size] | None = None
        if strides is not None:
            self.strides = [next(rest) if stride is None else stride for stride in strides]

    def strides_by(self, multiply: Callable[[Size, Size], Size]) -> list[Size]:
        """The strides of all dimensions, computed from the sizes where they are not given."""
        if self.strides is not None:
            return self.strides
        strides: list[Size] = []
        stride: Size = 1
        for size in reversed(self.sizes):
            strides.append(stride)
            stride = multiply(stride, size)
        return strides[::-1]


def mixed(
    op: memref.SubviewOp | memref.ReinterpretCastOp, operands: Operands
) -> tuple[list[Size], list[Size], list[Size]]:
    """Offsets, sizes and strides of a view, each constant or a value."""
    counts = op.properties["operandSegmentSizes"]
    sizes = [int(count) for count in counts.get_values()]  # pyright: ignore
    dynamic = iter([value for group in operands[sizes[0] :] for value in group])

    def take(numbers: Sequence[int | float]) -> list[Size]:
        return [next(dynamic) if number == DYNAMIC else int(number) for number in numbers]

    return (
        take(op.static_offsets.get_values()),
        take(op.static_sizes.get_values()),
        take(op.static_strides.get_values()),
    )


def kept_dimensions(sizes: Sequence[Size], shape: Sequence[int]) -> list[int]:
    """The dimensions of a subview that its type has; the others have size 1 and are dropped."""
    kept: list[int] = []
    drops = len(sizes) - len(shape)
    for dimension, size in enumerate(sizes):
        wanted = shape[len(kept)] if len(kept) < len(shape) else None
        if drops and isinstance(size, int) and size == 1 and wanted != 1:
            drops -= 1
        elif wanted is None:
            raise CannotConvert(f"the subview's type drops dimension {dimension} of size {size}")
        elif drops and isinstance(size, int) and size == 1 and 1 not in shape[len(kept) + 1 :]:
            # Whether this one or a later one of size 1 is kept: both have only index 0.
            kept.append(dimension)
        else:
            kept.append(dimension)
    return kept
