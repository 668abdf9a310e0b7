"""Remarks: what a pass had to express by something that costs more, kept with the kernel.

    gpu.func @k(…) kernel attributes {gpux.remarks = ["k.py:7: a store of i8 is a loop …"]}

One for each place and kind; `remarks_of` gives them for `kernel.explain`. `gpux.matrix_units` are
such remarks too, on what nothing had to stand for. What a pass of another package has to say is a
`note`, which stands there under a title of its own.
"""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, StringAttr
from xdsl.ir import Attribute, Operation

from ..dialects import gpu, marks
from ..dialects.diagnostics import CompileError, location_of


def remark(op: Operation, text: str, attribute: str = marks.REMARKS) -> None:
    """Keeps with the kernel that `op` is in what was done at its place, and at what cost."""
    _keep(op, _placed(op, text), attribute)


def note(op: Operation, title: str, text: str) -> None:
    """Keeps a line for `kernel.explain`, with the place of `op`, a kernel or what is in one.

    The title is yours, such as "memory traffic"; it has no colon.
    """
    if ":" in title:
        raise CompileError(f"the title of a note is {title!r}", hint="write it without a colon")
    _keep(op, f"{title}: {_placed(op, text)}", marks.NOTES)


def _placed(op: Operation, text: str) -> str:
    place = location_of(op)
    return text if place is None else f"{place.file}:{place.line}: {text}"


def _keep(op: Operation, said: str, attribute: str) -> None:
    kernel: Operation | None = op
    while kernel is not None and not isinstance(kernel, gpu.FuncOp):
        if marks.KERNEL in kernel.attributes:  # at a level that has no gpu.func
            break
        kernel = kernel.parent_op()
    if kernel is None:
        return
    so_far = remarks_of(kernel, attribute)
    if said not in so_far:
        lines = [StringAttr(line) for line in (*so_far, said)]
        kernel.attributes[attribute] = ArrayAttr[Attribute](lines)


def remarks_of(op: Operation, attribute: str = marks.REMARKS) -> tuple[str, ...]:
    """The remarks of a kernel, in the order in which they were made; of other ops none."""
    found = op.attributes.get(attribute)
    if not isinstance(found, ArrayAttr):
        return ()
    lines: tuple[Attribute, ...] = found.data  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return tuple(line.data for line in lines if isinstance(line, StringAttr))
