"""The names that users build on: none goes missing and none appears by accident."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

import stepwell
from stepwell.language import intrinsics, matrix, nvidia, vendor
from stepwell.language.function_tables import find_function

NAMES = {
    "kernel and launch": "kernel compile compile_ir load device devices use",
    "classes": "Artifact Bundle Device DeviceArray Kernel Launch LoadedProgram",
    "types": "i8 i16 i32 i64 u8 u16 u32 u64 f16 bf16 f32 f64 bool_ index Array Const",
    "ids": "thread_id block_id block_dim grid_dim global_id global_size",
    "memory": "shared local barrier",
    "atomics": "atomic_add atomic_sub atomic_min atomic_max atomic_and_ atomic_or_ atomic_xor "
    "atomic_exchange atomic_compare_exchange",
    "subgroups": "lane_id subgroup_size subgroup_id subgroup_reduce_add subgroup_reduce_mul "
    "subgroup_reduce_min subgroup_reduce_max subgroup_reduce_and_ subgroup_reduce_or_ "
    "subgroup_reduce_xor subgroup_inclusive_add subgroup_exclusive_add subgroup_inclusive_min "
    "subgroup_inclusive_max shuffle shuffle_xor "
    "shuffle_up shuffle_down broadcast ballot any all",
    "bits": "popcount leading_zeros trailing_zeros multiply_high bitcast",
    "compile time": "unroll target",
    "matrices": "matrix",
    "one vendor's": "nvidia inline_ptx",
    "errors": "CompileError KernelError OutOfBounds AssertionFailed DivisionByZero DeviceError",
}
ALL = {name for names in NAMES.values() for name in names.split()}


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_name_is_there_and_documented(name: str):
    value = getattr(stepwell, name)
    assert name in stepwell.__all__
    assert inspect.getdoc(value), f"stepwell.{name} has no docstring"


@pytest.mark.parametrize("module", [intrinsics, matrix, nvidia, vendor], ids=lambda m: m.__name__)
def test_kernels_take_the_parameters_that_python_shows(module: ModuleType):
    rows = {function: find_function(function) for function in vars(module).values()
            if inspect.isfunction(function)}  # fmt: skip
    compiled = {function: row for function, row in rows.items() if row is not None}
    assert compiled
    for function, row in compiled.items():
        parameters = inspect.signature(function).parameters.values()
        positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        optional = {p.name for p in parameters if p.default is not p.empty}
        assert (positional, optional) == (list(row.positional), set(row.optional)), row.name


def test_all_names_what_is_public():
    public = {name for name in stepwell.__all__ if not name.startswith("__")}
    assert public == ALL, "a new public name belongs in this test and in the documentation"
