"""What a module says of its kernel: the fields of an artifact's manifest."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .dialects import marks
from .dialects.walking import ops_of
from .runtime.artifact import Manifest, Parameter, Site
from .targets import Target

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation

    from .dialects.gpu import FuncOp

MATRIX_OPS = "gpu.subgroup_mma_"


def waist_manifest(
    name: str, parameters: tuple[Parameter, ...], module: ModuleOp, way: Target
) -> Manifest:
    """What the waist says about the kernel."""
    from .dialects import gpu, gpux
    from .passes.analyses.asked_sizes import size_rows

    ops = {type(op) for op in ops_of(module)}
    function = kernel_of(module)
    over = gpux.over_rank(function)
    return Manifest(
        name=name,
        target=way.name,
        entry=way.entry(function.sym_name.data),
        parameters=parameters,
        over=over,
        block_rank=gpux.block_rank(function) if over is None else 3,
        known_block=function.known_block_size,
        cluster=_cluster(function),
        uses_barrier=gpu.BarrierOp in ops,
        any_block=not function.workgroup and ops.isdisjoint(_block_ops()),
        subgroup_size=way.subgroup_size(),
        small=marks.SMALL in function.attributes,
        disjoint=_is_disjoint(function),
        sizes=size_rows(function),
        streams=marks.STREAMS in function.attributes,
        versions=_versions(way),
        **block_facts(module),
    )


def block_facts(module: ModuleOp) -> dict[str, Any]:
    """What the kernel of a module takes of a block; lowering may have added to it."""

    function = kernel_of(module)
    ops = {type(op) for op in ops_of(function)}
    matrices = any(op.name.startswith(MATRIX_OPS) for op in ops)
    return {
        "static_shared_bytes": sum(_bytes(value.type) for value in function.workgroup),
        "shared_arrays": tuple(
            (value.name_hint or f"shared array {number}", _bytes(value.type))
            for number, value in enumerate(function.workgroup)
        ),
        "uses_subgroups": matrices or not ops.isdisjoint(_subgroup_ops()),
        "whole_subgroups": matrices or marks.WHOLE_SUBGROUPS in function.attributes,
        "most_threads": _number(function, marks.MOST_THREADS) or 0,
    }


def _subgroup_ops() -> set[type[Operation]]:
    """Ops by which threads of a subgroup, or their places in it, come into play."""
    from .dialects import gpu, gpux

    return {
        *(gpu.ShuffleOp, gpu.SubgroupReduceOp, gpux.SubgroupScanOp, gpux.BallotOp),
        *(gpu.LaneIdOp, gpu.SubgroupIdOp, gpu.SubgroupSizeOp, gpu.NumSubgroupsOp),
    }


def _block_ops() -> set[type[Operation]]:
    """Ops whose results or effects depend on how threads are put into blocks."""
    from .dialects import gpu, gpu_matrix

    matrices = {op for op in gpu_matrix.GPU.operations if op.name.startswith(MATRIX_OPS)}
    return {
        *(gpu.ThreadIdOp, gpu.BlockIdOp, gpu.BlockDimOp, gpu.GridDimOp),
        *(gpu.BarrierOp, gpu.DynamicSharedMemoryOp),
        *_subgroup_ops(),
        *matrices,
    }


def kernel_of(module: ModuleOp) -> FuncOp:
    """The kernel of a module of level gpu or grid."""
    from .dialects import gpu

    return next(op for op in ops_of(module) if isinstance(op, gpu.FuncOp) and op.is_kernel)


def _number(function: FuncOp, attribute: str) -> int | None:
    from xdsl.dialects.builtin import IntegerAttr

    found = function.attributes.get(attribute)
    return found.value.data if isinstance(found, IntegerAttr) else None


def _cluster(function: FuncOp) -> tuple[int, int, int] | None:
    """Blocks of a cluster, where the kernel is made for one."""
    from xdsl.dialects.builtin import DenseArrayBase

    from .language.options import CLUSTER

    found = function.attributes.get(CLUSTER)
    if not isinstance(found, DenseArrayBase):
        return None
    x, y, z = (int(size) for size in found.get_values())
    return x, y, z


def _is_disjoint(function: FuncOp) -> bool:
    """Whether the code may rely on arrays being apart."""
    rows = function.arg_attrs.data if function.arg_attrs is not None else ()
    return any("llvm.noalias" in row.data for row in rows)


def _bytes(type_: Any) -> int:
    """Bytes of a memref of static shape."""
    from math import prod

    element = type_.element_type
    return prod(type_.get_shape()) * max(1, element.bitwidth // 8)


def sites_of(module: ModuleOp) -> tuple[Site, ...]:
    """The places that can report, in the order of their numbers."""
    from .passes.number_report_sites import collect_sites

    return tuple(Site(**row) for row in collect_sites(module))


def _versions(way: Target) -> dict[str, str]:
    return {package: _version(package) for package in way.libraries}


@cache
def _version(package: str) -> str:
    """Its version, by the name of its folder of metadata: reading what is in it takes 15 ms."""
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None, f"{package} is what compiled the kernel"
    folder = os.path.dirname(os.path.dirname(spec.origin))
    for name in os.listdir(folder):
        if name.startswith(f"{package}-") and name.endswith(".dist-info"):
            return name.removesuffix(".dist-info").partition("-")[2]
    from importlib.metadata import version

    return version(package)
