"""Level contracts, and the graph of lowerings between levels."""

from dataclasses import dataclass

import pytest
from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def, traits_def
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from stepwell import registry
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering import levels, route
from stepwell.lowering.conversion import Legality, Operands, Results, Rewriter, Rules, convert
from stepwell.lowering.levels import SCALARS, Level, check_level, register_level
from stepwell.lowering.parse import make_context, parse_module, print_module
from stepwell.lowering.pipeline import Pipeline

KERNEL = """gpu.module @m {
  gpu.func @k(%m: memref<?xf32, #gpu.address_space<global>>, %v: f32) kernel {
    %i = gpu.thread_id x
    memref.store %v, %m[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}"""


def offences(text: str, level: str) -> list[str]:
    module = parse_module(text, "in.mlir")
    with pytest.raises(CompileError) as caught:
        check_level(module, level)
    return [
        f"{part.location.line if part.location else 0}: {part.message}"
        for part in caught.value.parts
    ]


def test_a_kernel_keeps_to_the_gpu_level() -> None:
    check_level(parse_module(KERNEL), "gpu")
    check_level(parse_module(KERNEL), "simt")


def test_a_memref_needs_an_address_space() -> None:
    bare = KERNEL.replace(", #gpu.address_space<global>", "")
    (error,) = offences(bare, "gpu")
    assert error.startswith("2: gpu.func: memref<?xf32> has no address space")


def test_all_offenders_are_listed() -> None:
    errors = offences(KERNEL, "llvm")
    assert [error.partition(":")[0] for error in errors] == ["1", "2", "3", "4", "5"]
    assert all("does not exist at level llvm" in error for error in errors)


def test_a_type_that_the_level_does_not_have() -> None:
    text = "func.func @f(%a: f80) {\n  func.return\n}"
    assert offences(text, "cpu") == ["1: func.func: type f80 does not exist at level cpu"]


def test_integers_are_signless() -> None:
    text = "func.func @f(%a: si32) {\n  func.return\n}"
    assert offences(text, "gpu") == ["1: func.func: si32: integers are signless here"]


def test_the_cpu_level_has_no_address_spaces_and_explicit_ids() -> None:
    text = """func.func @f(%m: memref<?xf32, #gpu.address_space<global>>, %p: i1) {
  gpux.check %p, "assert", "no" formats []
  func.return
}"""
    errors = offences(text, "cpu")
    assert "has an address space, which a CPU does not" in errors[0]
    assert errors[1].startswith("2: gpux.check: expected 6 ids")


def test_an_attribute_without_meaning() -> None:
    text = "func.func @f() attributes {nvvm.kernel} {\n  func.return\n}"
    assert offences(text, "cpu") == [
        "1: func.func: attribute 'nvvm.kernel' has no meaning at level cpu"
    ]


def test_an_unknown_level_names_the_nearest() -> None:
    with pytest.raises(CompileError, match="did you mean 'gpu'"):
        check_level(parse_module(KERNEL), "gpus")


def test_every_level_says_what_it_means() -> None:
    for name, level in levels.LEVELS.items():
        assert level.name == name
        assert level.meaning
        assert name in (levels.__doc__ or "")


# --- a dialect of somebody else -------------------------------------------------------------------


@irdl_op_definition
class TwiceOp(IRDLOperation):
    """`%b = "toy.twice"(%a)`."""

    name = "toy.twice"
    value = operand_def(i32)
    result = result_def(i32)
    traits = traits_def(Pure())


@dataclass(frozen=True)
class ToyToGpu(ModulePass):
    """The one lowering that a dialect needs."""

    name = "toy-to-gpu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rules = Rules()

        @rules.converts(TwiceOp)
        def twice(op: TwiceOp, operands: Operands, rw: Rewriter) -> Results:
            ((value,),) = operands
            return rw.value(arith.AddiOp, [value, value], i32)

        convert(op, rules, Legality({"toy": False}, default=True), goal="gpu")


def toy_pipeline(**target: object) -> Pipeline:
    return Pipeline((ToyToGpu(),))


def no_pipeline(**target: object) -> Pipeline:
    return Pipeline()


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers the toy dialect for one test."""
    for table in (levels.LEVEL_TABLE, registry.DIALECT_TABLE, registry.PASS_TABLE):
        monkeypatch.setattr(table, "registered", {})
    monkeypatch.setattr(route, "LOWERINGS", list(route.LOWERINGS))
    monkeypatch.setattr(registry, "deciding_modules", set[str]())
    registry.register_dialect(Dialect("toy", [TwiceOp], []))
    registry.register_pass(ToyToGpu)
    register_level(Level("toy", "a toy", frozenset({"toy", "func", "builtin.module"}), SCALARS))
    route.register_lowering(route.Lowering("toy", "gpu", toy_pipeline))


TOY = """func.func @f(%a: i32) -> i32 {
  %b = "toy.twice"(%a) : (i32) -> i32
  func.return %b : i32
}"""


@pytest.mark.usefixtures("toy")
def test_a_new_dialect_needs_one_lowering() -> None:
    module = parse_module(TOY, ctx=make_context())
    way = route.route("toy", "gpu", check=True)
    assert str(way) == 'check-level{level="toy"},toy-to-gpu,check-level{level="gpu"}'
    way.run(module)
    assert "arith.addi %a, %a : i32" in print_module(module)
    assert str(Pipeline.parse(str(way))) == str(way)


@pytest.mark.usefixtures("toy")
def test_a_new_dialect_reaches_what_the_waist_reaches() -> None:
    way = route.route("toy", "cpu", subgroup_size=8)
    assert str(way).startswith("toy-to-gpu,expand-matrices")


@pytest.mark.usefixtures("toy")
def test_the_cheapest_way_is_taken() -> None:
    route.register_lowering(route.Lowering("toy", "gpu", no_pipeline, cost=5))
    assert str(route.route("toy", "gpu")) == "toy-to-gpu"


@pytest.mark.usefixtures("toy")
def test_no_way_is_an_error_that_says_where_one_can_go() -> None:
    with pytest.raises(CompileError, match="no lowering leads from level 'gpu' to 'toy'") as caught:
        route.route("gpu", "toy")
    assert caught.value.hint == "from 'gpu' there is a way to cpu, grid, llvm, nvvm, shader, spirv"


def test_a_name_is_registered_once() -> None:
    with pytest.raises(CompileError, match="exists already"):
        registry.register_dialect(Dialect("gpu", [], []))


def test_the_shader_level_has_arrays_in_one_dimension_that_nothing_chooses_between() -> None:
    flat = "memref<?xf32, #gpu.address_space<global>>"
    text = f"""gpu.module @m {{
  gpu.func @k(%x: {flat}, %s: memref<?x?xf32, #gpu.address_space<global>>, %c: i1) kernel {{
    %y = arith.select %c, %x, %x : {flat}
    %zero = arith.constant 0 : index
    %n = memref.dim %x, %zero : {flat}
    gpu.return
  }}
}}"""
    check_level(parse_module(KERNEL), "shader")
    two, chosen, size = offences(text, "shader")
    assert two.startswith("2: gpu.func: memref<?x?xf32")
    assert chosen == "3: arith.select: control flow does not choose between arrays here"
    assert size == "5: memref.dim: the size of an array is a parameter here, or known"
