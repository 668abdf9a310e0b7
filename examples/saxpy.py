"""y = a·x + y: an ordinary Python function on every device, one thread per item."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import numpy as np

import stepwell as sw


@sw.kernel
def saxpy(a, x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


def main() -> None:
    x = np.random.default_rng(0).random(1_000_003, dtype=np.float32)
    for device in sw.devices():
        y = np.ones_like(x)
        saxpy.over(x.size, device=device)(2.0, x, y)  # NumPy in, NumPy out
        assert np.array_equal(y, 2 * x + 1)
        saxpy.launch(3907, 256, device=device)(2.0, x, y)  # or as in CUDA: grid and block
        assert np.allclose(y, 4 * x + 1)
        print(f"{device.name}: {x.size} items, {y[:3]} …")


if __name__ == "__main__":
    main()
