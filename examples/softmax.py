"""Softmax of each row of a matrix: a block per row, reductions in shared memory."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import math

import numpy as np

import stepwell as sw

THREADS = 64


def larger(a, b):
    return a if a > b else b


def add(a, b):
    return a + b


def over_block(buffer, value, combine):
    """Combine the values of all threads of the block; every thread gets the result."""
    t = sw.thread_id(0)
    buffer[t] = value
    sw.barrier()
    width = THREADS // 2
    while width > 0:
        if t < width:
            buffer[t] = combine(buffer[t], buffer[t + width])
        sw.barrier()
        width //= 2
    result = buffer[0]
    sw.barrier()
    return result


@sw.kernel
def softmax(x, out):
    buffer = sw.shared(THREADS, sw.f32)
    row, out_row = x[sw.block_id(0), :], out[sw.block_id(0), :]
    columns = x.shape[1]
    top = -math.inf
    for j in range(sw.thread_id(0), columns, THREADS):
        top = larger(top, row[j])
    top = over_block(buffer, top, larger)
    total = 0.0
    for j in range(sw.thread_id(0), columns, THREADS):
        total += math.exp(row[j] - top)
    total = over_block(buffer, total, add)
    for j in range(sw.thread_id(0), columns, THREADS):
        out_row[j] = math.exp(row[j] - top) / total


def main() -> None:
    x = np.random.default_rng(0).normal(0, 5, (100, 333)).astype(np.float32)
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    expected = powers / powers.sum(axis=1, keepdims=True)
    for device in sw.devices():
        out = np.zeros_like(x)
        softmax.launch(x.shape[0], THREADS, device=device)(x, out)
        assert np.allclose(out, expected, rtol=1e-5, atol=1e-9)
        print(f"{device.name}: {x.shape}, rows sum to {out.sum(axis=1).mean():.6f}")


if __name__ == "__main__":
    main()
