"""Histogram of bytes: each block counts in shared memory, then adds its counts to the total."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import numpy as np

import stepwell as sw

BINS = 256


@sw.kernel
def histogram(data, counts):
    own = sw.shared(BINS, sw.u32)
    t = sw.thread_id(0)
    own[t] = 0
    sw.barrier()
    for i in range(sw.global_id(0), data.shape[0], sw.global_size(0)):
        sw.atomic_add(own, data[i], 1)
    sw.barrier()
    sw.atomic_add(counts, t, own[t])


def main() -> None:
    data = np.random.default_rng(0).normal(128, 30, 500_000).clip(0, 255).astype(np.uint8)
    for device in sw.devices():
        counts = np.zeros(BINS, np.uint32)
        histogram.launch(64, BINS, device=device)(data, counts)
        assert np.array_equal(counts, np.bincount(data, minlength=BINS))
        print(f"{device.name}: most frequent {counts.argmax()} ({counts.max()} times)")


if __name__ == "__main__":
    main()
