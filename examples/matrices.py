"""Matrix product by `sw.matrix` on every device: f16 in and f32 out, whatever multiplies.

Each subgroup makes 32 by 32 elements of c out of products of 16 by 16. NVIDIA GPUs do these on
their matrix units; other devices with scalars, which `explain` says.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import numpy as np

import stepwell as sw

UNIT = 16
TILE = 2 * UNIT
BLOCK = 64


def load_pair(x, row, column, role):
    """Two matrices below each other (factors a), or side by side (factors b)."""
    if role == "a":
        first = sw.matrix.load(x, row, column, (UNIT, UNIT), role)
        return first, sw.matrix.load(x, row + UNIT, column, (UNIT, UNIT), role)
    first = sw.matrix.load(x, row, column, (UNIT, UNIT), role)
    return first, sw.matrix.load(x, row, column + UNIT, (UNIT, UNIT), role)


@sw.kernel(block=BLOCK)
def multiply(a, b, c):
    """c = a · b for shapes that are multiples of the tiles."""
    subgroups = sw.block_dim(0) // sw.subgroup_size()
    tile = sw.block_id(0) * subgroups + sw.subgroup_id()
    across = c.shape[1] // TILE
    if tile < across * (c.shape[0] // TILE):
        row, column = tile // across * TILE, tile % across * TILE
        zero = sw.matrix.fill(0.0, (UNIT, UNIT), sw.f32)
        upper, lower = (zero, zero), (zero, zero)
        for k in range(0, a.shape[1], UNIT):
            left = load_pair(a, row, k, "a")
            right = load_pair(b, k, column, "b")
            upper = (
                sw.matrix.multiply_add(left[0], right[0], upper[0]),
                sw.matrix.multiply_add(left[0], right[1], upper[1]),
            )
            lower = (
                sw.matrix.multiply_add(left[1], right[0], lower[0]),
                sw.matrix.multiply_add(left[1], right[1], lower[1]),
            )
        for i in sw.unroll(range(2)):
            sw.matrix.store(c, row, column + i * UNIT, upper[i])
            sw.matrix.store(c, row + UNIT, column + i * UNIT, lower[i])


def matmul(a: np.ndarray, b: np.ndarray, device: sw.Device | None = None) -> np.ndarray:
    """The product of (m, k) and (k, n) f16 as f32; m and n multiples of 32, k of 16."""
    (m, k), n = a.shape, b.shape[1]
    if m % TILE or n % TILE or k % UNIT or k != b.shape[0]:
        raise ValueError(f"shapes {a.shape} and {b.shape} are no multiples of the tiles")
    c = np.zeros((m, n), np.float32)
    tiles = (m // TILE) * (n // TILE)  # a block has one subgroup at least
    multiply.launch(tiles, BLOCK, device=device)(a, b, c)
    return c


def main() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((64, 96)).astype(np.float16)
    b = rng.standard_normal((96, 128)).astype(np.float16)
    expected = a.astype(np.float32) @ b.astype(np.float32)
    for device in sw.devices():
        c = matmul(a, b, device)
        assert np.allclose(c, expected, atol=1e-4)
        print(f"{device.name}: {a.shape} · {b.shape}, c[0, 0] = {c[0, 0]:.4f}")
    print(multiply.explain(sw.Array[sw.f16, 2], sw.Array[sw.f16, 2], sw.Array[sw.f32, 2]))


if __name__ == "__main__":
    main()
