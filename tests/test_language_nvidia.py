"""Arms of portable kernels for NVIDIA GPUs: which is compiled, that both are checked, refusals."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from oracles.ptx_device import KIND, register, unregister
from refused_kernels import Row, refuses

import stepwell as sw
from stepwell.language.build import build_module
from stepwell.language.intrinsics import use_thread
from stepwell.language.machines import CPU, Machine
from stepwell.language.types import ArrayType, i32
from stepwell.lowering.emit.ptx import find_tool
from stepwell.runtime.devices import KINDS


@pytest.fixture(scope="module", autouse=True)
def interpreter() -> Generator[None]:
    """Other tests see the devices that they saw before."""
    known = KIND in KINDS
    yield
    if not known:
        unregister()


I32, F32, F16, BF16 = (sw.Array[kind, 1] for kind in (sw.i32, sw.f32, sw.f16, sw.bf16))
U32, U64 = sw.Array[sw.u32, 1], sw.Array[sw.u64, 1]


def ptx(function: Any, *types: Any, arch: str = "sm_80") -> str:
    """The PTX of a kernel; ptxas takes it, where there is one."""
    artifact = sw.kernel(checks=False)(function).compile(types, target=f"cuda:{arch}")
    text = artifact.payload.decode()
    assembler = find_tool("ptxas")
    if assembler is not None:
        command = [assembler, f"-arch={arch}", "-", "-o", "/dev/null"]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr + text
    return text


def warp_sums(x, out):
    i = sw.global_id(0)
    if sw.target.nvidia(sm=80):
        total = sw.nvidia.redux_add(x[i])
        out[i] = sw.inline_ptx("add.s32 $0, $1, $2;", total, 3, dtype=sw.i32)
    else:
        at = (i // 32) * 32
        total = sw.i32(0)
        for k in range(32):
            total += x[at + k]
        out[i] = total + 3


def run(function: Any, device: str, *arrays: Any) -> None:
    with sw.use(device):
        sw.kernel(function)[1, 64](*arrays)


def test_a_portable_kernel_runs_on_the_cpu_and_as_ptx():
    x = np.arange(64, dtype=np.int32) - 20
    expected = np.repeat(x.reshape(2, 32).sum(1), 32) + 3
    for device in ("cpu", register().name):
        out = np.zeros(64, np.int32)
        run(warp_sums, device, x, out)
        np.testing.assert_array_equal(out, expected)
    assert "redux.sync.add.s32" in ptx(warp_sums, I32, I32)
    assert "redux" not in ptx(warp_sums, I32, I32, arch="sm_75")


def test_what_target_says():
    def ask(out):
        out[0] = 1 if sw.target.nvidia() else 0
        out[1] = 1 if sw.target.nvidia(sm=90) else 0
        out[2] = 1 if sw.target.nvidia(sm="90a") else 0
        out[3] = 1 if sw.target.cpu() else 0
        out[4] = 1 if sw.target.name == "cuda" else 0
        out[5] = 1 if sw.target.arch == "sm_90a" else 0

    def stored(machine: Machine) -> list[int]:
        text = str(build_module(ask, (ArrayType(i32, 1),), machine=machine).module)
        names = dict(re.findall(r"(%\d+) = arith.constant (\d) : i32", text))
        return [int(names[name]) for name in re.findall(r"memref.store (%\d+),", text)]

    assert stored(CPU) == [0, 0, 0, 1, 0, 0]
    assert stored(Machine("cuda", "sm_80")) == [1, 0, 0, 0, 1, 0]
    assert stored(Machine("cuda", "sm_90")) == [1, 1, 0, 0, 1, 0]
    assert stored(Machine("cuda", "sm_90a")) == [1, 1, 1, 0, 1, 1]
    assert stored(Machine("cuda", "sm_100")) == [1, 1, 0, 0, 1, 0]


def test_the_other_arm_leaves_nothing_behind():
    def kernel(x, out):
        total = 0
        for k in range(len(x)):
            if sw.target.nvidia():
                out[0] = 1
                if x[k] > 2:
                    break
                total += sw.i64(x[k])
            total += x[k]
        x[0] = total

    built = build_module(kernel, (ArrayType(i32, 1),) * 2)
    text = str(built.module)
    assert [row.writes for row in built.parameters] == [True, False]
    assert "cell<i64>" not in text and "simt.break" not in text and "nvvm" not in text


def helper(x):
    if sw.target.nvidia(sm=90):
        return sw.u32(1) if sw.nvidia.elect() else sw.u32(0)
    return x


def test_called_functions_have_arms_too():
    def kernel(x):
        x[0] = helper(x[1]) + (sw.nvidia.laneid() if sw.target.nvidia() else sw.u32(2))

    assert "elect.sync" in ptx(kernel, U32, arch="sm_90")
    assert "elect.sync" not in ptx(kernel, U32)
    x = np.array([0, 5], np.uint32)
    sw.kernel(kernel)[1, 1](x)
    assert x[0] == 7


def registers(out, wide):
    if sw.target.nvidia():
        t = sw.nvidia.laneid()
        out[0] = sw.nvidia.clock() + sw.nvidia.warpid() + sw.nvidia.smid() + sw.nvidia.nsmid()
        out[1] = sw.nvidia.activemask() + sw.nvidia.lanemask_lt() + sw.nvidia.lanemask_ge()
        out[2] = sw.nvidia.lanemask_le() + sw.nvidia.lanemask_gt()
        wide[0] = sw.nvidia.clock64() + sw.nvidia.globaltimer()
        sw.nvidia.nanosleep(100)
        same, all_same = sw.nvidia.match_all(t)
        out[3] = same + sw.nvidia.match_any(t, mask=0xF)
        if sw.nvidia.vote_all(all_same) or sw.nvidia.vote_any(t == 3):
            out[4] = sw.nvidia.vote_ballot(t < 4)
        sw.nvidia.syncwarp()
        sw.nvidia.fence_block()
        sw.nvidia.fence_device()
        sw.nvidia.fence_system()


def test_registers_votes_and_fences():
    text = ptx(registers, U32, U64)
    for word in (
        *("%clock;", "%clock64", "%globaltimer", "%warpid", "%smid", "%nsmid", "%laneid"),
        *("activemask.b32", "%lanemask_lt", "nanosleep.u32", "match.all.sync.b32"),
        *("match.any.sync.b32", "vote.sync.ballot.b32", "bar.warp.sync"),
        *("membar.cta", "membar.gl", "membar.sys"),
    ):
        assert word in text, f"{word} is not in:\n{text}"


def newest(x):
    if sw.target.nvidia(sm="90a"):
        sw.nvidia.setmaxnreg_increase(240)
        sw.nvidia.fence_cluster()
        sw.nvidia.cluster_arrive()
        sw.nvidia.cluster_wait()
        sw.nvidia.griddepcontrol_wait()
        sw.nvidia.griddepcontrol_launch()
        x[0] = sw.nvidia.redux_min(x[1]) + sw.nvidia.redux_xor(x[2])


def test_hopper():
    text = ptx(newest, U32, arch="sm_90a")
    for word in (
        *("setmaxnreg.inc", "fence.sc.cluster", "barrier.cluster.arrive", "griddepcontrol.wait"),
        *("redux.sync.min.u32", "redux.sync.xor.b32"),
    ):
        assert word in text, f"{word} is not in:\n{text}"


def tiles(a, b, out):
    """One m16n8k16 tile: A by ldmatrix from what cp.async has brought, B from memory."""
    lane = sw.thread_id(0)
    tile = sw.shared((16, 16), sw.f16)
    if sw.target.nvidia(sm=80):
        sw.nvidia.cp_async(tile, (lane // 2, lane % 2 * 8), a, (lane // 2, lane % 2 * 8))
        sw.nvidia.cp_async_commit()
        sw.nvidia.cp_async_wait(0)
        sw.barrier()
        left = sw.nvidia.ldmatrix_x4(tile, (lane % 16, lane // 16 * 8))
        right = (b[lane // 4, lane % 4], b[lane // 4, lane % 4 + 4])
        zero = sw.f32(0)
        d = sw.nvidia.mma_m16n8k16(left, right, (zero, zero, zero, zero), sw.f16)
        row, column = lane // 4, lane % 4 * 2
        out[row, column], out[row, column + 1] = d[0], d[1]
        out[row + 8, column], out[row + 8, column + 1] = d[2], d[3]


def test_a_matrix_product_through_ldmatrix_and_mma():
    text = ptx(tiles, *(sw.Array[kind, 2] for kind in (sw.f16, sw.u32, sw.f32)))
    for word in ("cp.async.cg", "ldmatrix.sync.aligned.m8n8.x4", "mma.sync.aligned.m16n8k16"):
        assert word in text
    rng = np.random.default_rng(1)
    a = rng.integers(-8, 8, (16, 16)).astype(np.float16)
    b = rng.integers(-8, 8, (16, 8)).astype(np.float16)
    out = np.zeros((16, 8), np.float32)
    packed = np.ascontiguousarray(b.T).view(np.uint32)
    with sw.use(register().name):
        sw.kernel(tiles)[1, 32](a, packed, out)
    np.testing.assert_array_equal(out, a.astype(np.float32) @ b.astype(np.float32))


def test_other_products():
    def kernel(x, out):
        if sw.target.nvidia(sm=80):
            a, b = (x[0], x[1], x[2], x[3]), (x[4], x[5])
            c = (out[0], out[1], out[2], out[3])
            c = sw.nvidia.mma_m16n8k16(a, b, c, sw.bf16)
            d = sw.nvidia.mma_m16n8k8(a, b, c)
            out[0] = d[0] + d[1] + d[2] + d[3]

    text = ptx(kernel, U32, F32)
    assert "m16n8k16.row.col.f32.bf16.bf16.f32" in text
    assert "m16n8k8.row.col.f32.tf32.tf32.f32" in text


def test_inline_ptx_with_several_results_and_none():
    def kernel(x):
        if sw.target.nvidia():
            low, high = sw.inline_ptx("mov.b64 {$0, $1}, $2;", x[0], dtype=(sw.u32, sw.u32))
            x[1] = low + high
            sw.inline_ptx("st.global.u64 [$0], $1;", sw.nvidia.address(x, 2), x[0])

    assert "mov.b64 {" in ptx(kernel, U64)
    x = np.array([5 + (7 << 32), 0, 0], np.uint64)
    with sw.use(register().name):
        sw.kernel(kernel)[1, 1](x)
    assert x[1] == 12 and x[2] == x[0]


def test_outside_of_a_kernel():
    with pytest.raises(RuntimeError, match="works in a kernel only"):
        sw.target.nvidia(sm=90)
    with pytest.raises(RuntimeError, match="works in a kernel only"):
        sw.nvidia.laneid()
    with use_thread(object()):
        assert not sw.target.nvidia() and sw.target.name == "reference"


REFUSALS: dict[str, Row] = {
    "unguarded": ("x[0] = sw.nvidia.laneid()", "cpu", "sw.nvidia.laneid is for NVIDIA GPUs"),
    "unguarded ptx": ("sw.inline_ptx('trap;')", "cpu", "sw.inline_ptx is for NVIDIA GPUs"),
    "guarded too low": (
        "if sw.target.nvidia(sm=80):\n        sw.nvidia.elect()",
        "cpu",
        "sw.nvidia.elect needs sm_90 or later, not sm_80",
    ),
    "below": (
        "x[0] = sw.nvidia.redux_add(x[1])",
        "cuda:sm_75",
        "redux_add needs sm_80 or later, not sm_75",
    ),
    "only one chip": (
        "if sw.target.nvidia(sm=90):\n        sw.nvidia.setmaxnreg_decrease(40)",
        "cpu",
        "needs sm_90a",
    ),
    "error in the arm": (
        "if sw.target.nvidia():\n        x[0] = nothing",
        "cpu",
        "name nothing is not defined",
    ),
    "error in the other arm": (
        "if not sw.target.nvidia():\n        x[0] = 'a'",
        "cuda",
        "expected",
    ),
    "error in an elif": (
        "if sw.target.nvidia(sm=90):\n        pass\n"
        "    elif sw.target.nvidia():\n        sw.nvidia.elect()",
        "cpu",
        "needs sm_90 or later, not sm_75",
    ),
    "sm": ("if sw.target.nvidia(sm=x[0]):\n        pass", "cpu", "expected a constant such as 90"),
    "no such sm": ("if sw.target.nvidia(sm=91):\n        pass", "cpu", "no architecture sm_91"),
    "no such question": ("if sw.target.amd():\n        pass", "cpu", "no attribute amd"),
    "not called": ("if sw.target.nvidia:\n        pass", "cpu", "is asked by a call"),
    "compared": ("if sw.target == 'cuda':\n        pass", "cpu", "is asked by a call"),
    "past the end from the end": (
        "sw.nvidia.ldmatrix_x1(sw.shared(64, sw.f16), -4)",
        "cuda",
        "index 67 is out of bounds",
    ),
    "reference": ("sw.inline_ptx('mov.u32 $0, $2;', 1, dtype=sw.u32)", "cuda", "$2 in the PTX"),
    "dollar": ("sw.inline_ptx('mov.u32 $x;')", "cuda", "$x in the PTX means nothing"),
    "type": ("sw.inline_ptx('neg.s32 $0, $0;', sw.i8(1))", "cuda", "i8 has no register"),
    "dtype": ("sw.inline_ptx('nop;', dtype=7)", "cuda", "dtype is 7, expected a type"),
    "text": ("sw.inline_ptx(x[0])", "cuda", "expected a constant string"),
    "count": ("sw.nvidia.setmaxnreg_increase(7)", "cuda:sm_90a", "multiple of 8 from 24 to 256"),
    "fragment": (
        "sw.nvidia.mma_m16n8k8((1, 2), (1, 2), (0, 0, 0, 0))",
        "cuda",
        "expected a tuple of 4 values of type u32",
    ),
    "mma of what": (
        "sw.nvidia.mma_m16n8k16((1, 2, 3, 4), (1, 2), (0, 0, 0, 0), sw.i64)",
        "cuda",
        "expected sw.f16 or sw.bf16",
    ),
    "mma of fp8 before Ada": (
        "sw.nvidia.mma_m16n8k32((1, 2, 3, 4), (1, 2), (0, 0, 0, 0), 'e4m3')",
        "cuda",
        "mma_m16n8k32 needs sm_89 or later, not sm_80",
    ),
    "mma of what floats": (
        "sw.nvidia.mma_m16n8k32((1, 2, 3, 4), (1, 2), (0, 0, 0, 0), 'e3m4')",
        "cuda",
        "dtype is 'e3m4', expected sw.i8 or sw.u8 or 'e4m3' or 'e5m2'",
    ),
    "sums in shared memory": (
        "sw.nvidia.mma_m16n8k8((1, 2, 3, 4), (1, 2), sw.shared(4, sw.f32))",
        "cuda",
        "c is an array, expected a part of sw.local with 4 elements f32",
    ),
    "too many sums": (
        "sw.nvidia.mma_m16n8k8((1, 2, 3, 4), (1, 2), sw.local(8, sw.f32))",
        "cuda",
        "c is an array, expected a part of sw.local with 4 elements f32",
    ),
    "stmatrix before Hopper": (
        "sw.nvidia.stmatrix_x1(sw.shared(64, sw.f16), 0, x[0])",
        "cuda",
        "stmatrix_x1 needs sm_90 or later, not sm_80",
    ),
    "transpose by a value": (
        "sw.nvidia.ldmatrix_x1(sw.shared(64, sw.f16), 0, transpose=x[0])",
        "cuda",
        "transpose is u32, expected a constant True or False",
    ),
    "matrix in global memory": ("sw.nvidia.ldmatrix_x1(x, 0)", "cuda", "in shared memory"),
    "32-bit matrix": (
        "sw.nvidia.ldmatrix_x1(sw.shared(64, sw.f32), 0)",
        "cuda",
        "16-bit elements",
    ),
    "past the end": (
        "sw.nvidia.ldmatrix_x1(sw.shared(64, sw.f16), 60)",
        "cuda",
        "index 67 is out of bounds",
    ),
    "float": ("sw.nvidia.nanosleep(1.5)", "cuda", "nanoseconds"),
    "redux of floats": ("sw.nvidia.redux_add(sw.f32(1))", "cuda", "takes an i32 or u32"),
}


test_refusals = refuses(REFUSALS, (U32,))
