"""Sum of an array: lanes add up in subgroups, subgroups in blocks, blocks by an atomic."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import numpy as np

import stepwell as sw

BLOCK = 256


@sw.kernel
def total(x, out):
    partial = sw.shared(BLOCK, sw.f64)
    mine = np.float64(0)
    for i in range(sw.global_id(0), x.shape[0], sw.global_size(0)):
        mine += x[i]
    mine = sw.subgroup_reduce_add(mine)
    if sw.lane_id() == 0:
        partial[sw.subgroup_id()] = mine
    sw.barrier()
    if sw.thread_id(0) == 0:
        whole = np.float64(0)
        for k in range((BLOCK + sw.subgroup_size() - 1) // sw.subgroup_size()):
            whole += partial[k]
        sw.atomic_add(out, 0, whole)


def main() -> None:
    x = np.random.default_rng(0).random(300_000)
    for device in sw.devices():
        out = np.zeros(1)
        total.launch(40, BLOCK, device=device)(x, out)
        assert np.isclose(out[0], x.sum(), rtol=1e-12)
        print(f"{device.name}: sum {out[0]:.6f}, NumPy {x.sum():.6f}")


if __name__ == "__main__":
    main()
