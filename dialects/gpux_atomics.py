"""Atomic operations of gpux: one element of a memref is changed in one step.

They return the old value. `order` is the memory order, `scope` the set of threads that observe
it: the two that upstream's `memref.atomic_rmw` lacks. Float `min`/`max` return the number where one
operand is NaN. A compare-exchange compares bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from xdsl.dialects.builtin import IndexType, MemRefType, StringAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    VarConstraint,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from .lazy_format import op_with_format
from .lists import expect_one_of

RMW_KINDS = (
    *("add", "mins", "minu", "maxs", "maxu", "min", "max"),
    *("and", "or", "xor", "exchange"),
)
ORDERS = ("relaxed", "acquire", "release", "acq_rel", "seq_cst")
SCOPES = ("subgroup", "block", "device", "system")


class AtomicOp(IRDLOperation):
    """What both share: after their values an element of a memref, then an order and a scope."""

    T: ClassVar = VarConstraint("T", AnyAttr())
    view = operand_def()
    indices = var_operand_def(IndexType)
    order = prop_def(StringAttr)
    scope = prop_def(StringAttr)
    old = result_def(T)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(
        self,
        values: Sequence[SSAValue],
        view: SSAValue,
        indices: Sequence[SSAValue],
        order: str,
        scope: str,
        **properties: Attribute,
    ):
        super().__init__(
            operands=[*values, view, indices],
            result_types=[values[0].type],
            properties={**properties, "order": StringAttr(order), "scope": StringAttr(scope)},
        )

    def verify_(self) -> None:
        view = cast("MemRefType[Attribute]", self.view.type)
        if view.name != MemRefType.name:
            raise VerifyException(f"view has type {view}, expected a memref")
        if len(self.indices) != view.get_num_dims():
            raise VerifyException(
                f"has {len(self.indices)} indices for a memref of rank {view.get_num_dims()}"
            )
        if view.element_type != self.old.type:
            raise VerifyException(f"value has type {self.old.type}, elements {view.element_type}")
        expect_one_of("order", self.order.data, ORDERS)
        expect_one_of("scope", self.scope.data, SCOPES)


@op_with_format(
    "$kind $value `,` $view `[` $indices `]` `order` $order `scope` $scope attr-dict "
    "`:` type($value) `,` type($view)"
)
class AtomicRMWOp(AtomicOp):
    """Read, modify and write one element in one step; returns the old value."""

    name = "gpux.atomic_rmw"
    value = operand_def(AtomicOp.T)
    kind = prop_def(StringAttr)

    def __init__(
        self,
        kind: str,
        value: SSAValue,
        view: SSAValue,
        indices: Sequence[SSAValue],
        order: str = "relaxed",
        scope: str = "device",
    ):
        super().__init__((value,), view, indices, order, scope, kind=StringAttr(kind))

    def verify_(self) -> None:
        expect_one_of("kind", self.kind.data, RMW_KINDS)
        super().verify_()


@op_with_format(
    "$expected `,` $desired `,` $view `[` $indices `]` `order` $order `scope` $scope attr-dict "
    "`:` type($expected) `,` type($view)"
)
class AtomicCASOp(AtomicOp):
    """Store `desired` where the element's bits equal `expected`; returns the old value."""

    name = "gpux.atomic_cas"
    expected = operand_def(AtomicOp.T)
    desired = operand_def(AtomicOp.T)

    def __init__(
        self,
        expected: SSAValue,
        desired: SSAValue,
        view: SSAValue,
        indices: Sequence[SSAValue],
        order: str = "relaxed",
        scope: str = "device",
    ):
        super().__init__((expected, desired), view, indices, order, scope)
