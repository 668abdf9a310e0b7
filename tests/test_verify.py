"""The verifier finds what xDSL's does not, says where, and lists everything at once."""

import pytest
from xdsl.dialects import arith, func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.parse import make_context, parse_module
from stepwell.lowering.verify import verify


def module_of(body: str) -> ModuleOp:
    return parse_module(body, "in.mlir", make_context(allow_unregistered=True))


def errors_of(module: ModuleOp) -> list[str]:
    with pytest.raises(CompileError) as caught:
        verify(module)
    return [
        f"{part.location.line if part.location else 0}: {part.message}"
        for part in caught.value.parts
    ]


def named(module: ModuleOp, name: str) -> Operation:
    return next(op for op in module.walk() if op.name == name)


GOOD = """func.func @f(%a: index, %p: i1) -> index {
  %0 = arith.addi %a, %a : index
  cf.cond_br %p, ^one(%0 : index), ^two
^one(%x: index):
  %1 = arith.addi %x, %0 : index
  cf.br ^end(%1 : index)
^two:
  %2 = scf.if %p -> (index) {
    %3 = arith.addi %0, %a : index
    scf.yield %3 : index
  } else {
    scf.yield %0 : index
  }
  cf.br ^end(%2 : index)
^end(%r: index):
  func.return %r : index
}"""


def test_valid_ir_passes() -> None:
    verify(module_of(GOOD))


def test_a_use_before_the_definition() -> None:
    module = module_of(
        "func.func @f(%a: index) -> index {\n"
        "  %0 = arith.addi %a, %1 : index\n"
        "  %1 = arith.addi %a, %a : index\n"
        "  func.return %0 : index\n"
        "}"
    )
    assert errors_of(module) == ["2: arith.addi: operand 1 is used before it is defined"]


def test_a_use_that_the_definition_does_not_dominate() -> None:
    module = module_of(GOOD.replace("func.return %r", "func.return %1"))
    (error,) = errors_of(module)
    assert (
        error == "16: func.return: operand 0 is defined in a block that does not dominate this use"
    )


def test_a_loop_header_dominates_its_body_and_exit() -> None:
    verify(
        module_of(
            """func.func @f(%n: index) -> index {
              %c0 = arith.constant 0 : index
              %c1 = arith.constant 1 : index
              cf.br ^head(%c0 : index)
            ^head(%i: index):
              %more = arith.cmpi slt, %i, %n : index
              cf.cond_br %more, ^body, ^end
            ^body:
              %next = arith.addi %i, %c1 : index
              cf.br ^head(%next : index)
            ^end:
              func.return %i : index
            }"""
        )
    )


def test_a_value_of_a_sibling_region() -> None:
    module = module_of(
        "func.func @f(%a: index, %p: i1) -> index {\n"
        "  scf.if %p {\n"
        "    %sum = arith.addi %a, %a : index\n"
        "  }\n"
        "  func.return %a : index\n"
        "}"
    )
    named(module, "func.return").operands[0] = named(module, "arith.addi").results[0]
    (error,) = errors_of(module)
    assert error == (
        "5: func.return: operand 0 (%sum) is defined in another region, "
        "which this op is not inside of"
    )


def test_a_value_from_outside_of_an_isolated_op() -> None:
    module = module_of("%0 = arith.constant 1 : index\nfunc.func @f() {\n  func.return\n}")
    constant = named(module, "arith.constant").results[0]
    block = named(module, "func.func").regions[0].blocks[0]
    assert block.last_op is not None
    block.insert_op_before(arith.AddiOp(constant, constant), block.last_op)
    errors = errors_of(module)
    assert len(errors) == 2
    assert "defined outside of func.func, which is isolated from above" in errors[0]


def test_branch_arguments_count_and_type() -> None:
    module = module_of(
        GOOD.replace("^one(%0 : index)", "^one(%p : i1)").replace(
            "cf.br ^end(%2 : index)", "cf.br ^end"
        )
    )
    assert errors_of(module) == [
        "3: cf.cond_br: passes (i1) to a block that takes (index)",
        "14: cf.br: passes () to a block that takes (index)",
    ]


def test_switch_arguments_are_divided_by_case() -> None:
    text = """func.func @f(%a: i32, %b: index) -> index {
      cf.switch %a : i32, [
        default: ^end(%b : index),
        1: ^one(%b, %b : index, index),
        2: ^end(%b : index)
      ]
    ^one(%x: index, %y: index):
      cf.br ^end(%x : index)
    ^end(%r: index):
      func.return %r : index
    }"""
    verify(module_of(text))
    wrong = text.replace("1: ^one(%b, %b : index, index)", "1: ^one(%b : index)")
    (error,) = errors_of(module_of(wrong))
    assert error == "2: cf.switch: passes (index) to a block that takes (index, index)"


def test_a_branch_to_the_entry_block() -> None:
    module = module_of("func.func @f() {\n  cf.br ^a\n^a:\n  cf.br ^b\n^b:\n  func.return\n}")
    region = named(module, "func.func").regions[0]
    assert region.blocks[1].last_op is not None
    region.blocks[1].last_op.successors = [region.blocks[0]]
    assert errors_of(module) == ["4: cf.br: branches to the entry block of its region"]


def test_terminators_end_blocks_and_only_they_do() -> None:
    module = module_of("func.func @f() {\n  %0 = arith.constant 1 : i32\n  func.return\n}")
    block = named(module, "func.func").regions[0].blocks[0]
    assert block.last_op is not None
    block.insert_op_before(func.ReturnOp(), block.last_op)
    assert "is a terminator, but does not end its block" in errors_of(module)[0]
    for end in [op for op in block.ops if op.name == "func.return"]:
        end.detach()
    assert errors_of(module) == ["2: arith.constant: ends its block, but is not a terminator"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scf.yield %3 : index", "scf.yield %p : i1", "then region yields (i1)"),
        ("scf.yield %0 : index", "scf.yield", "else region yields ()"),
    ],
)
def test_what_an_if_yields(old: str, new: str, message: str) -> None:
    (error,) = errors_of(module_of(GOOD.replace(old, new)))
    assert message in error
    assert error.startswith("8: scf.if")


def test_what_a_loop_yields() -> None:
    module = module_of(
        "func.func @f(%n: index, %p: i1) {\n"
        "  %r = scf.for %i = %n to %n step %n iter_args(%x = %n) -> (index) {\n"
        "    scf.yield %p : i1\n"
        "  }\n"
        "  func.return\n"
        "}"
    )
    assert errors_of(module) == ["2: scf.for: its body yields (i1), its results are (index)"]


def test_what_a_while_passes_on() -> None:
    module = module_of(
        "func.func @f(%n: index, %p: i1) {\n"
        "  %r = scf.while (%x = %n) : (index) -> (index) {\n"
        "    scf.condition(%p) %p : i1\n"
        "  } do {\n"
        "  ^b(%y: index):\n"
        "    scf.yield %y : index\n"
        "  }\n"
        "  func.return\n"
        "}"
    )
    assert errors_of(module) == ["2: scf.while: its condition passes (i1), its results are (index)"]


def test_all_errors_are_listed_in_the_order_of_the_file() -> None:
    module = module_of(
        GOOD.replace("cf.br ^end(%2 : index)", "cf.br ^end").replace("addi %x, %0", "addi %x, %2")
    )
    assert [error.partition(":")[0] for error in errors_of(module)] == ["5", "14"]


def test_the_ops_own_verifier_runs_with_a_place() -> None:
    module = module_of("func.func @f(%a: i32, %b: i64) {\n  func.return\n}")
    block = named(module, "func.func").regions[0].blocks[0]
    bad = arith.AddiOp.create(operands=block.args, result_types=[block.args[0].type])
    assert block.last_op is not None
    block.insert_op_before(bad, block.last_op)
    (error,) = errors_of(module)
    assert error.startswith("1: arith.addi: ")  # of the function around it
