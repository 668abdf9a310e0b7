"""What `@kernel` says about registers, blocks of a multiprocessor and clusters."""

# pyright: basic

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles.ptx_device import PtxDevice

import stepwell as sw
from stepwell.lowering.emit.ptx import assemble_cubin, find_tool
from stepwell.runtime.artifact import Manifest
from stepwell.runtime.errors import LaunchError
from stepwell.runtime.launch_shape import check_launch

X = (sw.Array[sw.f32, 1],)


def double(x):
    i = sw.global_id(0)
    x[i] = x[i] * 2


def ptx(arch: str = "sm_90", **options: Any) -> str:
    text = sw.kernel(block=128, **options)(double).ir("ptx", *X, target=f"cuda:{arch}")
    if find_tool("ptxas") is not None:
        assert assemble_cubin(text, arch)[0]
    return text


@pytest.mark.parametrize("arch", ["sm_75", "sm_90", "sm_120"])
def test_blocks_and_registers_are_for_the_assembler(arch: str):
    assert ".minnctapersm 4" in ptx(arch, min_blocks_per_sm=4)
    assert ".maxnreg 32" in ptx(arch, max_registers=32)
    assert ".minnctapersm" not in ptx(arch) and ".maxnreg" not in ptx(arch)


def test_other_devices_have_no_use_for_hints():
    x = np.arange(5, dtype=np.float32)
    sw.kernel(min_blocks_per_sm=4)(double).over(5, device="cpu")(x)
    np.testing.assert_array_equal(x, 2 * np.arange(5))


def test_a_cluster_is_in_the_code_and_in_the_manifest():
    assert ".reqnctapercluster 2, 2, 1" in ptx(cluster=(2, 2))
    artifact = sw.kernel(cluster=2)(double).compile(X, target="cuda:sm_90a")
    assert Manifest.from_json(artifact.manifest.to_json()).cluster == (2, 1, 1)
    assert sw.kernel(double).compile(X, target="cuda:sm_90a").manifest.cluster is None


def test_a_cluster_is_refused_where_there_are_none():
    for target, what in (("cuda:sm_89", "sm_89"), ("cpu", "cpu")):
        with pytest.raises(sw.CompileError, match=f"cluster= needs sm_90 .* for {what}") as caught:
            sw.kernel(cluster=2)(double).compile(X, target=target)
        assert caught.value.location is not None


class Clustered(PtxDevice):
    """The interpreter, as if it had clusters."""

    features = PtxDevice.features | {"clusters"}


def test_launches_have_whole_clusters():
    manifest = sw.kernel(cluster=(2, 3))(double).compile(X, target="cuda:sm_90").manifest
    device = Clustered("sm_90")
    check_launch(device, manifest, (4, 3, 1), (32, 1, 1), 0)
    with pytest.raises(LaunchError, match=r"grid \(4, 4, 1\) .* no multiple of its clusters"):
        check_launch(device, manifest, (4, 4, 1), (32, 1, 1), 0)
    with pytest.raises(LaunchError, match=r"runs in clusters of blocks, which .* has not"):
        check_launch(PtxDevice("sm_90"), manifest, (4, 3, 1), (32, 1, 1), 0)


def test_over_fills_clusters_with_blocks_that_have_no_items():
    device = Clustered("sm_90")
    launch = sw.kernel(cluster=4, block=32)(double).over(33, device=device)
    assert launch.shape.grid == (4, 1, 1)
    x = device.array(np.arange(33, dtype=np.float32))
    launch(x)
    np.testing.assert_array_equal(x.numpy(), 2 * np.arange(33))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_blocks_per_sm": 0}, "min_blocks_per_sm= is 0, expected an integer from 1 to 32"),
        ({"max_registers": True}, "max_registers= is True, expected an integer from 16 to 255"),
        ({"max_registers": 64, "min_blocks_per_sm": 2}, "both limit the registers"),
        ({"cluster": (4, 4)}, "16 blocks, expected 1 to 8"),
        ({"cluster": (0,)}, "0 blocks, expected 1 to 8"),
    ],
)
def test_hints_that_no_device_takes(options: dict[str, Any], message: str):
    with pytest.raises(sw.CompileError, match=message):
        sw.kernel(**options)(double)
