"""Ops made by `make` and `copy_of` are what xDSL's own ways give."""

from __future__ import annotations

import pytest
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr, i32
from xdsl.ir import Operation

from stepwell.dialects.making import copy_of, make
from stepwell.dialects.walking import ops_of
from stepwell.lowering.parse import parse_module, print_module
from stepwell.lowering.verify import verify

STRUCTURED = """
func.func @f(%lo: index, %hi: index, %step: index, %m: memref<?xi32>) {
  scf.for %i = %lo to %hi step %step {
    %v = memref.load %m[%i] : memref<?xi32>
    %w = arith.addi %v, %v : i32
    memref.store %w, %m[%i] : memref<?xi32>
  } {gpux.threads}
  func.return
}
"""
BLOCKS = """
func.func @f(%m: memref<?xi32>, %i: index) {
  scf.execute_region {
    cf.br ^bb2
  ^bb1:
    memref.store %v, %m[%i] : memref<?xi32>
    scf.yield
  ^bb2:
    %v = memref.load %m[%i] : memref<?xi32>
    cf.br ^bb1
  }
  func.return
}
"""


@pytest.mark.parametrize("text", [STRUCTURED, BLOCKS])
def test_a_copy_prints_as_the_original(text: str) -> None:
    module = parse_module(text, "m.mlir")
    copy = copy_of(module)
    verify(copy)
    assert print_module(copy, locations=True) == print_module(module, locations=True)
    assert not set(ops_of(copy)) & set(ops_of(module))


def test_a_copy_is_made_without_ops_and_with_other_values() -> None:
    module = parse_module(STRUCTURED, "m.mlir")
    (loop,) = (op for op in ops_of(module) if isinstance(op, scf.ForOp))
    (store,) = (op for op in ops_of(module) if op.name == "memref.store")
    copy = copy_of(loop, {loop.lb: loop.ub}, without={store})
    assert [op.name for op in ops_of(copy)] == [
        *("scf.for", "memref.load", "arith.addi", "scf.yield"),
    ]
    assert list(copy.operands) == [loop.ub, loop.ub, loop.step]
    assert copy.attributes == loop.attributes
    assert copy.body.block.args[0].name_hint == "i"


def test_an_op_is_made_as_create_makes_it() -> None:
    place = FileLineColLoc(StringAttr("k.py"), IntAttr(3), IntAttr(1))
    value = arith.ConstantOp.from_int_and_width(1, i32).result
    made, created = (
        make(arith.AddiOp, (value, value), (i32,), location=place),
        arith.AddiOp.create(operands=(value, value), result_types=(i32,), location=place),
    )
    for op in (made, created):
        op.verify()
    assert _facts(made) == _facts(created)
    assert value.uses.get_length() == 4


def _facts(op: Operation) -> list[object]:
    results = [result.type for result in op.results]
    return [list(op.operands), results, op.properties, op.attributes, op.location, op.regions]
