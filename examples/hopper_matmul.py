"""Matrix product at the speed of Hopper: tensor copies and wgmma, bf16 in and f32 out.

A block makes 128 by 256 elements of c with 384 threads in three warpgroups. One thread of the first
one brings tiles of a and b by tensor maps, STAGES ahead, and the other two multiply: each has 64
rows, whose sums are in its threads' registers. Two mbarriers for each stage tell when it is full
and when it is empty. Tiles are swizzled by 128 bytes, so rows of 64 elements follow each other: 128
of a, and of b, which is taken as it lies, transposed, four boxes of 64 columns.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import ml_dtypes
import numpy as np

import stepwell as sw

TILE = 128
COLUMNS = 256
DEPTH = 64
STAGES = 4
BOX_A, BOX_B = (TILE, DEPTH), (DEPTH, 64)
BOXES = COLUMNS // 64
TILES = 1 + BOXES // 2  # of TILE by DEPTH in a stage: one of a, each other one two boxes of b
SWIZZLE = 128
SHARED_BYTES = STAGES * TILES * TILE * DEPTH * 2
GROUP = 128  # threads of a warpgroup
THREADS = 3 * GROUP


def produce(a, b, tiles, full, empty, row, column, steps):
    """Bring tile after tile; a stage is filled again when all warps of the consumers left it."""
    for step in range(steps):
        stage, turn = step % STAGES, step // STAGES
        sw.nvidia.mbarrier_wait(empty, stage, (turn + 1) % 2)
        sw.nvidia.mbarrier_expect(full, stage, a.nbytes + BOXES * b.nbytes)
        k, first = sw.i32(step * DEPTH), TILES * stage
        sw.nvidia.tma_load(tiles, (first, 0, 0), a, (row, k), full, stage)
        for box in sw.unroll(range(BOXES)):
            to = (first + 1 + box // 2, box % 2 * DEPTH, 0)
            sw.nvidia.tma_load(tiles, to, b, (k, column + 64 * box), full, stage)


def consume(tiles, full, empty, rows, sums, steps):
    """Add the products of all tiles to the sums of 64 rows; 16 of the depth at a time."""
    for step in range(steps):
        stage, turn = step % STAGES, step // STAGES
        sw.nvidia.mbarrier_wait(full, stage, turn % 2)
        first = TILES * stage
        sw.nvidia.wgmma_fence()
        for k in sw.unroll(range(0, DEPTH, 16)):
            left = sw.nvidia.wgmma_descriptor(tiles, (first, rows, k), 16, 1024, SWIZZLE)
            right = sw.nvidia.wgmma_descriptor(tiles, (first + 1, k, 0), 8192, 1024, SWIZZLE)
            sw.nvidia.wgmma(left, right, sums, sw.bf16, transpose_b=True)
        sw.nvidia.wgmma_commit()
        sw.nvidia.wgmma_wait(0)
        if sw.thread_id(0) % 32 == 0:
            sw.nvidia.mbarrier_arrive(empty, stage)


def store(sums, c, row, column):
    """A thread's sums to c: rows g and g + 8 of its warp's 16, two columns of each 8."""
    lane, warp = sw.thread_id(0) % 32, sw.thread_id(0) % GROUP // 32
    r, s = row + 16 * warp + lane // 4, column + lane % 4 * 2
    for i in sw.unroll(range(COLUMNS // 2)):
        c[r + i // 2 % 2 * 8, s + i // 4 * 8 + i % 2] = sums[i]


@sw.kernel(block=THREADS)
def hopper_matmul(a, b, c, steps):
    """c = a · b for shapes that are multiples of the tiles; `steps` is the depth in tiles."""
    tiles = sw.shared((None, TILE, DEPTH), sw.bf16)
    full, empty = sw.shared(STAGES, sw.u64), sw.shared(STAGES, sw.u64)
    t = sw.thread_id(0)
    row, column = sw.block_id(1) * TILE, sw.block_id(0) * COLUMNS
    if sw.target.nvidia(sm="90a"):
        if t == 0:
            for stage in range(STAGES):
                sw.nvidia.mbarrier_init(full, stage, 1)
                sw.nvidia.mbarrier_init(empty, stage, 2 * GROUP // 32)
            sw.nvidia.fence_mbarrier_init()
            sw.nvidia.fence_async()
        sw.barrier()
        if t < GROUP:
            sw.nvidia.setmaxnreg_decrease(40)
            if t == 0:
                i, j = sw.i32(row), sw.i32(column)
                produce(a, b, tiles, full, empty, i, j, steps)
        else:
            sw.nvidia.setmaxnreg_increase(232)
            sums = sw.local(COLUMNS // 2, sw.f32)
            for i in sw.unroll(range(COLUMNS // 2)):
                sums[i] = 0.0
            rows = 64 * (t // GROUP - 1)
            consume(tiles, full, empty, rows, sums, steps)
            store(sums, c, row + rows, column)


def matmul(a: np.ndarray, b: np.ndarray, device: sw.Device) -> np.ndarray:
    """The product of (m, k) and (k, n) bf16 as f32, on a device with tensor maps (sm_90a); m, n and
    k multiples of 128, 256 and 64."""
    (m, k), n = a.shape, b.shape[1]
    if m % TILE or n % COLUMNS or k % DEPTH or k != b.shape[0]:
        raise ValueError(f"shapes {a.shape} and {b.shape} are no multiples of the tiles")
    c = device.zeros((m, n), "f32")
    launch = hopper_matmul.launch(
        (n // COLUMNS, m // TILE), THREADS, device=device, shared_bytes=SHARED_BYTES
    )
    of_a = device.array(a).tensor_map(BOX_A, SWIZZLE)
    of_b = device.array(b).tensor_map(BOX_B, SWIZZLE)
    launch(of_a, of_b, c, k // DEPTH)
    return c.numpy()


def main() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((256, 512)).astype(ml_dtypes.bfloat16)
    b = rng.standard_normal((512, 256)).astype(ml_dtypes.bfloat16)
    expected = a.astype(np.float32) @ b.astype(np.float32)
    fit = [device for device in sw.devices() if device.target == "cuda:sm_90a"]
    for device in fit:
        c = matmul(a, b, device)
        assert np.allclose(c, expected, atol=1e-3)
        print(f"{device.name}: {a.shape} · {b.shape}, c[0, 0] = {c[0, 0]:.4f}")
    if not fit:
        print("there is no GPU of architecture sm_90a here")


if __name__ == "__main__":
    main()
