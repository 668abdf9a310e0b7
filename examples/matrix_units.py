"""Matrix product on the matrix units of NVIDIA GPUs, bf16 in and f32 out; elsewhere a plain one.

A block makes TILE by TILE elements of c. Its 8 warps stand in 2 rows and 4 columns, and each makes
64 by 32 of them out of products of 16 by 8. While they work on one pair of tiles in shared memory,
cp.async brings the next pair. Rows there are padded by 16 bytes, so that the eight rows that
ldmatrix reads at once lie in different banks.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import ml_dtypes
import numpy as np

import stepwell as sw

TILE = 128
DEPTH = 32
PAD = 8
THREADS = 256


def start_copy(tile_a, tile_b, stage, a, b, row, column, start):
    """Start to bring DEPTH columns of a and DEPTH rows of b, 16 bytes at a time."""
    t = sw.thread_id(0)
    for part in sw.unroll(range(2)):
        r, s = t // 4 + 64 * part, t % 4 * 8
        sw.nvidia.cp_async(tile_a, (stage, r, s), a, (row + r, start + s))
        r, s = t // 16 + 16 * part, t % 16 * 8
        sw.nvidia.cp_async(tile_b, (stage, r, s), b, (start + r, column + s))
    sw.nvidia.cp_async_commit()


def multiply_tiles(tile_a, tile_b, stage, warp_row, warp_column, sums):
    """Add the product of two tiles to the warp's sums: 4 by 4 products of 16 by 8 at a depth."""
    lane = sw.thread_id(0) % 32
    for k in range(0, DEPTH, 16):
        r, s = k + lane % 16, warp_column + lane // 16 * 8
        right = (
            sw.nvidia.ldmatrix_x4(tile_b, (stage, r, s), transpose=True),
            sw.nvidia.ldmatrix_x4(tile_b, (stage, r, s + 16), transpose=True),
        )
        for i in sw.unroll(range(4)):
            r, s = warp_row + 16 * i + lane % 16, k + lane // 16 * 8
            left = sw.nvidia.ldmatrix_x4(tile_a, (stage, r, s))
            for j in sw.unroll(range(4)):
                half = j % 2 * 2
                pair = right[j // 2][half : half + 2]
                sw.nvidia.mma_m16n8k16(left, pair, sums[i, j], sw.bf16)


def store(sums, c, row, column):
    """The warp's sums to c; the order of a fragment's elements is that of the PTX manual."""
    lane = sw.thread_id(0) % 32
    r, s = row + lane // 4, column + lane % 4 * 2
    for i in range(4):
        for j in range(4):
            for e in range(4):
                c[r + 16 * i + e // 2 * 8, s + 8 * j + e % 2] = sums[i, j, e]


def multiply_on_matrix_units(a, b, c):
    """The block's part of c."""
    tile_a = sw.shared((2, TILE, DEPTH + PAD), sw.bf16)
    tile_b = sw.shared((2, DEPTH, TILE + PAD), sw.bf16)
    sums = sw.local((4, 4, 4), sw.f32)
    warp = sw.thread_id(0) // 32
    row, column = sw.block_id(1) * TILE, sw.block_id(0) * TILE
    warp_row, warp_column = warp // 4 * 64, warp % 4 * 32
    for i in range(4):
        for j in range(4):
            for e in range(4):
                sums[i, j, e] = 0.0
    start_copy(tile_a, tile_b, 0, a, b, row, column, 0)
    stage = 0
    for start in range(DEPTH, a.shape[1] + DEPTH, DEPTH):
        if start < a.shape[1]:
            start_copy(tile_a, tile_b, 1 - stage, a, b, row, column, start)
            sw.nvidia.cp_async_wait(1)
        else:
            sw.nvidia.cp_async_wait(0)
        sw.barrier()
        multiply_tiles(tile_a, tile_b, stage, warp_row, warp_column, sums)
        sw.barrier()
        stage = 1 - stage
    store(sums, c, row + warp_row, column + warp_column)


def multiply(a, b, c):
    """The same elements of c one by one."""
    t = sw.thread_id(0)
    column = sw.block_id(0) * TILE + t % TILE
    for r in range(t // TILE, TILE, THREADS // TILE):
        row = sw.block_id(1) * TILE + r
        total = sw.f32(0)
        for k in range(a.shape[1]):
            total += sw.f32(a[row, k]) * sw.f32(b[k, column])
        c[row, column] = total


@sw.kernel(block=THREADS)
def mma_matmul(a, b, c):
    """c = a · b for shapes that are multiples of TILE, TILE and DEPTH; see `matmul`."""
    if sw.target.nvidia(sm=80):
        multiply_on_matrix_units(a, b, c)
    else:
        multiply(a, b, c)


def matmul(a: np.ndarray, b: np.ndarray, device: sw.Device | None = None) -> np.ndarray:
    """The product of (m, k) and (k, n) bf16 as f32; m and n multiples of 128, k of 32."""
    (m, k), n = a.shape, b.shape[1]
    if m % TILE or n % TILE or k % DEPTH or k != b.shape[0]:
        raise ValueError(f"shapes {a.shape} and {b.shape} are no multiples of the tiles")
    c = np.zeros((m, n), np.float32)
    mma_matmul.launch((n // TILE, m // TILE), THREADS, device=device)(a, b, c)
    return c


def main() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((256, 96)).astype(ml_dtypes.bfloat16)
    b = rng.standard_normal((96, 128)).astype(ml_dtypes.bfloat16)
    expected = a.astype(np.float32) @ b.astype(np.float32)
    for device in sw.devices():
        c = matmul(a, b, device)
        assert np.allclose(c, expected, atol=1e-4)
        print(f"{device.name}: {a.shape} · {b.shape}, c[0, 0] = {c[0, 0]:.4f}")


if __name__ == "__main__":
    main()
