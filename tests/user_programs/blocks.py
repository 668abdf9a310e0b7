"""What threads of a block do together: shared arrays, barriers, atomics, subgroups, matrices."""

import numpy as np

import stepwell as sw

BLOCK = 64


@sw.kernel
def total(x: sw.Array[sw.f32, 1], out: sw.Array[sw.f64, 1]) -> None:
    partial = sw.shared(BLOCK, sw.f64)
    mine: sw.f64 = 0
    for i in range(sw.global_id(), len(x), sw.global_size()):
        mine += x[i]
    mine = sw.subgroup_reduce_add(mine)
    if sw.lane_id() == 0:
        partial[sw.subgroup_id()] = mine
    sw.barrier()
    if sw.thread_id() == 0:
        whole = sw.f64(0)
        for k in range((BLOCK + sw.subgroup_size() - 1) // sw.subgroup_size()):
            whole += partial[k]
        sw.atomic_add(out, 0, whole)


@sw.kernel
def count(values: sw.Array[sw.u8, 1], bins: sw.Array[sw.u32, 1], bits: sw.Const) -> None:
    local = sw.local((2, 2), np.int32)
    for i in sw.unroll(range(2)):
        local[i, 0] = i
    i = sw.global_id(0)
    sw.atomic_add(bins, values[i] >> bits, 1, order="relaxed", scope="device")
    old = sw.atomic_max(bins, (0,), local[1, 0])
    neighbour = sw.shuffle_xor(old, 1)
    if sw.any(neighbour > 1_000_000) and sw.ballot(True) == 0:
        bins[0] = sw.broadcast(old, 0)


@sw.kernel
def multiply(a: sw.Array[sw.f32, 2], b: sw.Array[sw.f32, 2], c: sw.Array[sw.f32, 2]) -> None:
    row, column = 16 * sw.block_id(0), 16 * sw.block_id(1)
    sums = sw.matrix.fill(0.0, (16, 16), sw.f32)
    for k in range(0, a.shape[1], 16):
        left = sw.matrix.load(a, row, k, (16, 16), "a")
        right = sw.matrix.load(b, k, column, (16, 16), role="b")
        sums = sw.matrix.multiply_add(left, right, sums)
    sw.matrix.store(c, row, column, sums)


@sw.kernel(max_registers=64)
def sums_of_warps(x: sw.Array[sw.i32, 1], out: sw.Array[sw.i32, 1]) -> None:
    i = sw.global_id(0)
    if sw.target.nvidia(sm=80):
        sum_ = sw.nvidia.redux_add(x[i])
        out[i] = sw.inline_ptx("add.s32 $0, $1, $2;", sum_, 3, dtype=sw.i32)
    elif sw.target.cpu():
        out[i] = sw.subgroup_reduce_add(x[i]) + 3


@sw.kernel(block=128, cluster=(2, 1, 1), min_blocks_per_sm=2)
def copy_box(
    source: sw.nvidia.TensorMap[sw.bf16, (64, 64), 128], out: sw.Array[sw.bf16, 2]
) -> None:
    tile = sw.shared(source.box, source.dtype)
    barrier = sw.shared(1, sw.u64)
    thread = sw.thread_id(0)
    if thread == 0:
        sw.nvidia.mbarrier_init(barrier, 0, 1)
        sw.nvidia.fence_mbarrier_init()
        sw.nvidia.mbarrier_expect(barrier, 0, source.nbytes)
        sw.nvidia.tma_load(tile, (0, 0), source, (0, 64 * sw.block_id(0)), barrier, 0)
    sw.barrier()
    sw.nvidia.mbarrier_wait(barrier, 0, 0)
    for row in range(64):
        out[row, thread % 64] = tile[row, thread % 64]


def main() -> None:
    x = np.ones(1000, np.float32)
    out = np.zeros(1)
    total[4, BLOCK](x, out)
    assert out[0] == 1000
    bins = np.zeros(4, np.uint32)
    count.over(256)(np.arange(256, dtype=np.uint8), bins, 6)
    assert bins.tolist() == [64] * 4
    a = np.arange(32 * 16, dtype=np.float32).reshape(32, 16)
    c = np.zeros((32, 32), np.float32)
    multiply[(2, 2), 64](a, a.T.copy(), c)
    assert np.allclose(c, a @ a.T)
    ones = np.ones(BLOCK, np.int32)
    sums_of_warps.launch(1, BLOCK)(ones, ones)
    assert (ones > 3).all()
    box = sw.nvidia.TensorMap[sw.bf16, (64, 64), 128]
    compiled = sw.compile(copy_box, (box, sw.Array[sw.bf16, 2]), target="cuda:sm_90")
    assert compiled.artifacts


main()
