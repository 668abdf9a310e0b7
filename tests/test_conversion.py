"""The conversion framework: what converters may do, and what the user reads when one is missing."""

import sys
from typing import Any

import pytest
from xdsl.dialects import arith, cf, func, memref, scf
from xdsl.dialects.builtin import (
    DenseArrayBase,
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    UnrealizedConversionCastOp,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from stepwell.dialects.diagnostics import CompileError, Location, location_of
from stepwell.lowering.conversion import (
    CannotConvert,
    Converter,
    Legality,
    Operands,
    Results,
    Rewriter,
    Rules,
    TypeMap,
    Values,
    convert,
    reconcile_casts,
    retyped,
)
from stepwell.lowering.parse import make_context, parse_module, print_module
from stepwell.lowering.verify import verify

# A small lowering: index becomes i64, a memref a pair of numbers, scf.if and scf.for become cf.
TYPES = TypeMap({IndexType: lambda type, types: i64, MemRefType: lambda type, types: (i32, i64)})


def has_old_type(op: Operation) -> bool:
    values = [*op.operands, *op.results]
    return any(isinstance(value.type, IndexType | MemRefType) for value in values)


def is_new(op: Operation) -> bool:
    return not has_old_type(op)


LEGALITY = Legality({"cf": is_new, "arith": is_new, func.ReturnOp: is_new, func.CallOp: is_new})


def small_rules() -> Rules:
    rules = Rules()
    rules.retype(func.ReturnOp, arith.AddiOp, cf.BranchOp)

    @rules.converts(func.FuncOp)
    def function(op: Any, operands: Operands, rw: Rewriter) -> Results:
        type = op.function_type
        inputs, outputs = rw.flat_types(type.inputs), rw.flat_types(type.outputs)
        rw.create(
            func.FuncOp,
            properties={
                "sym_name": op.sym_name,
                "function_type": FunctionType.from_lists(inputs, outputs),
            },
            attributes={"converted": op.sym_name},
            regions=rw.take_regions(op),
        )

    @rules.converts(arith.ConstantOp)
    def constant(op: Any, operands: Operands, rw: Rewriter) -> Results:
        assert rw.type(op.result.type) == i64
        return rw.value(arith.ConstantOp, [], i64, {"value": IntegerAttr(op.value.value.data, i64)})

    @rules.converts(memref.DimOp)
    def dim(op: Any, operands: Operands, rw: Rewriter) -> Results:
        (_, size), _ = operands
        return size

    @rules.converts(scf.IfOp)
    def branch(op: Any, operands: Operands, rw: Rewriter) -> Results:
        ((condition,),) = operands
        rest = rw.split(rw.flat_types(result.type for result in op.results))
        targets: list[Block] = []
        for region in tuple(op.regions):
            if region.first_block is None:
                targets.append(rest)
                continue
            first, last = rw.move_blocks(rw.take_region(region), before=rest)
            assert last.last_op is not None
            rw.convert_with(last.last_op, jump_to(rest))
            targets.append(first)
        segments = DenseArrayBase.from_list(i32, [1, 0, 0])
        rw.create(
            cf.ConditionalBranchOp,
            [condition],
            properties={"operandSegmentSizes": segments},
            successors=targets,
        )
        return list(rest.args)

    return rules


def line_of(op: Operation) -> int:
    location = location_of(op)
    assert location is not None
    return location.line


def jump_to(block: Block) -> Converter:
    def jump(op: Any, operands: Operands, rw: Rewriter) -> Results:
        rw.create(cf.BranchOp, [v for values in operands for v in values], successors=[block])

    return jump


def function_legality() -> Legality:
    return Legality({**LEGALITY.table, func.FuncOp: lambda op: "converted" in op.attributes})


def lower(text: str, rules: Rules | None = None, legality: Legality | None = None) -> ModuleOp:
    module = parse_module(text, "in.mlir")
    convert(module, rules or small_rules(), legality or function_legality(), TYPES, "cf")
    verify(module)
    return module


def test_a_signature_is_converted_one_to_many() -> None:
    module = lower(
        """func.func @f(%m: memref<?xf32>, %n: index) -> index {
             %c0 = arith.constant 0 : index
             %d = memref.dim %m, %c0 : memref<?xf32>
             %s = arith.addi %d, %n : index
             func.return %s : index
           }"""
    )
    text = print_module(module)
    assert "@f(%0: i32, %d: i64, %n: i64) -> i64" in text
    add = next(op for op in module.walk() if isinstance(op, arith.AddiOp))
    assert add.lhs.type == i64
    assert isinstance(add.lhs, BlockArgument)
    assert add.lhs.index == 1


def test_nested_structured_control_flow_becomes_blocks() -> None:
    module = lower(
        """func.func @f(%p: i1, %a: index) -> index {
             %r = scf.if %p -> (index) {
               scf.if %p {
                 %dead = arith.addi %a, %a : index
               }
               %b = arith.addi %a, %a : index
               scf.yield %b : index
             } else {
               scf.yield %a : index
             }
             %t = arith.addi %r, %a : index
             func.return %t : index
           }"""
    )
    (function,) = module.body.block.ops
    assert len(function.regions[0].blocks) == 6
    assert not any(op.name.startswith("scf.") for op in module.walk())


def test_everything_created_carries_the_location_of_its_op() -> None:
    module = lower(
        "func.func @f(%p: i1, %a: index) {\n"
        "  scf.if %p {\n"
        "    %b = arith.addi %a, %a : index\n"
        "  }\n"
        "  func.return\n"
        "}"
    )
    lines = {op.name: line_of(op) for op in module.walk()}
    assert lines["cf.cond_br"] == 2
    assert lines["arith.addi"] == 3


def test_what_a_converter_creates_is_converted_too() -> None:
    rules = small_rules()

    @rules.converts(arith.MuliOp)
    def twice(op: Any, operands: Operands, rw: Rewriter) -> Results:
        (a,), _ = operands
        return rw.value(arith.SubiOp, [a, a], a.type)

    @rules.converts(arith.SubiOp)
    def difference(op: Any, operands: Operands, rw: Rewriter) -> Results:
        (a,), (b,) = operands
        return rw.value(arith.XOrIOp, [a, b], a.type)

    legality = Legality({**function_legality().table, arith.SubiOp: False, arith.MuliOp: False})
    module = lower(
        """func.func @f(%a: i32) -> i32 {
             %b = arith.muli %a, %a : i32
             func.return %b : i32
           }""",
        rules,
        legality,
    )
    names = [op.name for op in module.walk()]
    assert "arith.xori" in names
    assert "arith.subi" not in names
    assert "arith.muli" not in names


def test_a_converter_that_goes_in_circles_is_an_error_with_a_place() -> None:
    rules = small_rules()
    rules.converts(arith.MuliOp)(retyped)
    legality = Legality({**function_legality().table, arith.MuliOp: False})
    with pytest.raises(CompileError, match="goes in circles") as caught:
        lower(
            "func.func @f(%a: i32) {\n  %b = arith.muli %a, %a : i32\n  func.return\n}",
            rules,
            legality,
        )
    assert caught.value.location == Location("in.mlir", 2, 3)


def test_all_leftovers_are_listed_with_place_and_reason() -> None:
    rules = small_rules()

    @rules.converts(memref.StoreOp)
    def store(op: Any, operands: Operands, rw: Rewriter) -> Results:
        raise CannotConvert("there is nowhere to store it")

    text = (
        "func.func @f(%a: index, %m: memref<?xindex>) {\n"
        "  %b = arith.muli %a, %a : index\n"
        "  memref.store %b, %m[%a] : memref<?xindex>\n"
        "  func.return\n"
        "}"
    )
    with pytest.raises(CompileError) as caught:
        lower(text, rules)
    parts = caught.value.parts
    assert [part.location for part in parts] == [
        Location("in.mlir", 2, 3),
        Location("in.mlir", 3, 3),
    ]
    assert "no rule converts arith.muli" in parts[0].message
    assert "nowhere to store it" in parts[1].message
    assert "2 operations cannot be lowered to cf" in str(caught.value)


def test_a_cast_without_its_inverse_is_a_leftover() -> None:
    text = """func.func @f(%a: index) {
      %b = arith.constant 1 : index
      "test.use"(%b) : (index) -> ()
      func.return
    }"""
    module = parse_module(text, "in.mlir", make_context(allow_unregistered=True))
    legality = Legality({**function_legality().table, "builtin": True})
    with pytest.raises(CompileError, match=r"needs \(index\), but the value has become \(i64\)"):
        convert(module, small_rules(), legality, TYPES, "cf")


def test_n_to_m_casts_that_undo_each_other_vanish() -> None:
    module = parse_module(
        """func.func @f(%a: i32, %b: i64) -> (i32, i64) {
             %m = builtin.unrealized_conversion_cast %a, %b : i32, i64 to memref<?xf32>
             %c, %d = builtin.unrealized_conversion_cast %m : memref<?xf32> to i32, i64
             func.return %c, %d : i32, i64
           }"""
    )
    casts = [op for op in module.walk() if isinstance(op, UnrealizedConversionCastOp)]
    assert reconcile_casts(casts) == []
    assert "cast" not in print_module(module)
    verify(module)


def test_a_cast_that_only_looks_like_an_inverse_stays() -> None:
    module = parse_module(
        """func.func @f(%a: i32, %b: i64) -> (i64, i32) {
             %m = builtin.unrealized_conversion_cast %a, %b : i32, i64 to memref<?xf32>
             %c, %d = builtin.unrealized_conversion_cast %m : memref<?xf32> to i64, i32
             func.return %c, %d : i64, i32
           }"""
    )
    casts = [op for op in module.walk() if isinstance(op, UnrealizedConversionCastOp)]
    assert len(reconcile_casts(casts)) == 2


def test_an_op_that_stays_gets_its_operands_back_in_their_old_type() -> None:
    rules = Rules()

    @rules.converts(arith.ConstantOp)
    def constant(op: Any, operands: Operands, rw: Rewriter) -> Results:
        return rw.value(arith.ConstantOp, [], i64, {"value": IntegerAttr(op.value.value.data, i64)})

    legality = Legality({arith.ConstantOp: is_new, UnrealizedConversionCastOp: True}, default=True)
    module = lower(
        """func.func @f() -> index {
             %b = arith.constant 1 : index
             func.return %b : index
           }""",
        rules,
        legality,
    )
    assert "unrealized_conversion_cast %b : i64 to index" in print_module(module)


def test_a_second_lowering_resolves_the_casts_of_the_first() -> None:
    rules = Rules()

    @rules.converts(arith.ConstantOp)
    def constant(op: Any, operands: Operands, rw: Rewriter) -> Results:
        return rw.value(arith.ConstantOp, [], i64, {"value": IntegerAttr(op.value.value.data, i64)})

    partial = Legality({arith.ConstantOp: is_new, UnrealizedConversionCastOp: True}, default=True)
    module = lower(
        """func.func @f() -> index {
             %b = arith.constant 1 : index
             func.return %b : index
           }""",
        rules,
        partial,
    )
    convert(module, small_rules(), function_legality(), TYPES, "cf")
    verify(module)
    assert "unrealized_conversion_cast" not in print_module(module)


def test_materialisation_replaces_casts() -> None:
    def to_index(rw: Rewriter, values: Values, type: Attribute) -> SSAValue:
        return rw.value(arith.IndexCastOp, list(values), type)

    rules = Rules()

    @rules.converts(arith.ConstantOp)
    def constant(op: Any, operands: Operands, rw: Rewriter) -> Results:
        return rw.value(arith.ConstantOp, [], i64, {"value": IntegerAttr(op.value.value.data, i64)})

    module = parse_module(
        "func.func @f() -> index { %b = arith.constant 1 : index\n func.return %b : index }"
    )
    types = TypeMap({IndexType: lambda type, types: i64}, source=to_index)
    convert(module, rules, Legality({arith.ConstantOp: is_new}, default=True), types)
    verify(module)
    assert "arith.index_cast" in print_module(module)


def test_dict_rules_rename_ops() -> None:
    rules = small_rules()
    rules.rename({arith.MuliOp: arith.AndIOp, arith.SubiOp: (arith.AddiOp, {})})
    rules_text = """func.func @f(%a: index) -> index {
      %b = arith.muli %a, %a : index
      %c = arith.subi %b, %a : index
      func.return %c : index
    }"""
    text = print_module(lower(rules_text, rules))
    assert "arith.andi %a, %a : i64" in text
    assert "arith.addi %b, %a : i64" in text


def test_the_rest_of_a_module_is_moved_out_of_an_op() -> None:
    rules = Rules()

    @rules.converts(ModuleOp)
    def flatten(op: Any, operands: Operands, rw: Rewriter) -> Results:
        rw.move_ops(op.body.block)

    module = parse_module(
        """builtin.module {
             builtin.module { func.func private @f() -> () }
             builtin.module { builtin.module { func.func private @g() -> () } }
           }"""
    )
    convert(module, rules, Legality({"func": True}))
    functions = [op for op in module.body.block.ops if isinstance(op, func.FuncOp)]
    assert [function.sym_name.data for function in functions] == ["f", "g"]


def test_an_unchanged_module_is_not_touched() -> None:
    text = """builtin.module {
  func.func @f(%a: i32) -> i32 {
    %b = arith.addi %a, %a : i32
    func.return %b : i32
  }
}
"""
    module = parse_module(text)
    ops = list(module.walk())
    convert(module, Rules(), Legality({}, default=True), TYPES)
    assert print_module(module) == text
    assert list(module.walk()) == ops


def test_the_work_grows_with_the_ops_and_no_faster() -> None:
    def calls(count: int) -> int:
        adds = "".join(f"%v{i + 1} = arith.addi %v{i}, %a : index\n" for i in range(count))
        text = f"func.func @f(%a: index) -> index {{\n%v0 = arith.constant 1 : index\n{adds}"
        module = parse_module(text + f"func.return %v{count} : index }}")
        made = 0

        def counted(frame: object, event: str, argument: object) -> None:
            nonlocal made
            made += event == "call"

        sys.setprofile(counted)
        try:
            convert(module, small_rules(), function_legality(), TYPES)
        finally:
            sys.setprofile(None)
        return made

    calls(10)  # what is made once is made
    assert calls(400) < 2.2 * calls(200)
