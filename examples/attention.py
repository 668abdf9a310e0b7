"""Attention in one pass: softmax(q · kᵀ) · v, without ever having the matrix of all products.

Each thread has a row of q. A block goes over k and v in tiles, which its threads copy to shared
memory; a row's sum so far is scaled whenever a larger product comes up, as in FlashAttention.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import math

import numpy as np

import stepwell as sw

ROWS = 32  # of a block, and of a tile
WIDTH = 16


@sw.kernel
def attention(q, k, v, out, scale):
    head, t = sw.block_id(1), sw.thread_id(0)
    row = sw.block_id(0) * ROWS + t
    keys, values = sw.shared((ROWS, WIDTH), sw.f32), sw.shared((ROWS, WIDTH), sw.f32)
    mine, total = sw.local(WIDTH, sw.f32), sw.local(WIDTH, sw.f32)
    for c in range(WIDTH):
        mine[c] = q[head, row, c] * scale
        total[c] = 0
    largest, weight = -math.inf, 0.0
    for tile in range(0, k.shape[1], ROWS):
        for c in range(WIDTH):
            keys[t, c] = k[head, tile + t, c]
            values[t, c] = v[head, tile + t, c]
        sw.barrier()
        for j in range(ROWS):
            product = 0.0
            for c in range(WIDTH):
                product += mine[c] * keys[j, c]
            larger = max(largest, product)
            before, now = math.exp(largest - larger), math.exp(product - larger)
            largest, weight = larger, weight * before + now
            for c in range(WIDTH):
                total[c] = total[c] * before + now * values[j, c]
        sw.barrier()
    for c in range(WIDTH):
        out[head, row, c] = total[c] / weight


def main() -> None:
    heads, length = 4, 256
    q, k, v = np.random.default_rng(0).normal(size=(3, heads, length, WIDTH)).astype(np.float32)
    products = np.einsum("hic,hjc->hij", q, k) / math.sqrt(WIDTH)
    powers = np.exp(products - products.max(axis=2, keepdims=True))
    expected = powers / powers.sum(axis=2, keepdims=True) @ v
    for device in sw.devices():
        out = np.zeros_like(q)
        launch = attention.launch((length // ROWS, heads), ROWS, device=device)
        launch(q, k, v, out, 1 / math.sqrt(WIDTH))
        assert np.allclose(out, expected, atol=1e-5)
        print(
            f"{device.name}: {heads} heads, {length} rows, off by {abs(out - expected).max():.1e}"
        )


if __name__ == "__main__":
    main()
