"""Matrix product by tiles in shared memory, for any shape."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import numpy as np

import stepwell as sw

TILE = 16


@sw.kernel
def matmul(a, b, c):
    """c = a · b; blocks of TILE by TILE threads, one per element of c."""
    tile_a = sw.shared((TILE, TILE), sw.f32)
    tile_b = sw.shared((TILE, TILE), sw.f32)
    x, y = sw.thread_id(0), sw.thread_id(1)
    row, column = sw.global_id(1), sw.global_id(0)
    total = 0.0
    for start in range(0, a.shape[1], TILE):
        inside = row < a.shape[0] and start + x < a.shape[1]
        tile_a[y, x] = a[row, start + x] if inside else 0.0
        inside = start + y < b.shape[0] and column < b.shape[1]
        tile_b[y, x] = b[start + y, column] if inside else 0.0
        sw.barrier()
        for k in range(TILE):
            total += tile_a[y, k] * tile_b[k, x]
        sw.barrier()
    if row < c.shape[0] and column < c.shape[1]:
        c[row, column] = total


def main() -> None:
    rng = np.random.default_rng(0)
    a = rng.random((150, 201), dtype=np.float32)
    b = rng.random((201, 99), dtype=np.float32)
    grid = (-(-99 // TILE), -(-150 // TILE))
    for device in sw.devices():
        c = np.zeros((150, 99), np.float32)
        matmul.launch(grid, (TILE, TILE), device=device)(a, b, c)
        assert np.allclose(c, a @ b, rtol=1e-5)
        print(f"{device.name}: {a.shape} · {b.shape}, c[0, 0] = {c[0, 0]:.4f}")


if __name__ == "__main__":
    main()
