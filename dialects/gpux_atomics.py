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


def _verify_access(op: AtomicRMWOp | AtomicCASOp, value: SSAValue) -> None:
    view = cast("MemRefType[Attribute]", op.view.type)
    if view.name != MemRefType.name:
        raise VerifyException(f"view has type {view}, expected a memref")
    if len(op.indices) != view.get_num_dims():
        raise VerifyException(
            f"has {len(op.indices)} indices for a memref of rank {view.get_num_dims()}"
        )
    if view.element_type != value.type:
        raise VerifyException(f"value has type {value.type}, elements {view.element_type}")
    expect_one_of("order", op.order.data, ORDERS)
    expect_one_of("scope", op.scope.data, SCOPES)


@op_with_format(
    "$kind $value `,` $view `[` $indices `]` `order` $order `scope` $scope attr-dict "
    "`:` type($value) `,` type($view)"
)
class AtomicRMWOp(IRDLOperation):
    """Read, modify and write one element in one step; returns the old value."""

    name = "gpux.atomic_rmw"
    T: ClassVar = VarConstraint("T", AnyAttr())
    value = operand_def(T)
    view = operand_def()
    indices = var_operand_def(IndexType)
    kind = prop_def(StringAttr)
    order = prop_def(StringAttr)
    scope = prop_def(StringAttr)
    old = result_def(T)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(
        self,
        kind: str,
        value: SSAValue,
        view: SSAValue,
        indices: Sequence[SSAValue],
        order: str = "relaxed",
        scope: str = "device",
    ):
        super().__init__(
            operands=[value, view, indices],
            result_types=[value.type],
            properties={
                "kind": StringAttr(kind),
                "order": StringAttr(order),
                "scope": StringAttr(scope),
            },
        )

    def verify_(self) -> None:
        expect_one_of("kind", self.kind.data, RMW_KINDS)
        _verify_access(self, self.value)


@op_with_format(
    "$expected `,` $desired `,` $view `[` $indices `]` `order` $order `scope` $scope attr-dict "
    "`:` type($expected) `,` type($view)"
)
class AtomicCASOp(IRDLOperation):
    """Store `desired` where the element's bits equal `expected`; returns the old value."""

    name = "gpux.atomic_cas"
    T: ClassVar = VarConstraint("T", AnyAttr())
    expected = operand_def(T)
    desired = operand_def(T)
    view = operand_def()
    indices = var_operand_def(IndexType)
    order = prop_def(StringAttr)
    scope = prop_def(StringAttr)
    old = result_def(T)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(
        self,
        expected: SSAValue,
        desired: SSAValue,
        view: SSAValue,
        indices: Sequence[SSAValue],
        order: str = "relaxed",
        scope: str = "device",
    ):
        super().__init__(
            operands=[expected, desired, view, indices],
            result_types=[expected.type],
            properties={"order": StringAttr(order), "scope": StringAttr(scope)},
        )

    def verify_(self) -> None:
        _verify_access(self, self.expected)
