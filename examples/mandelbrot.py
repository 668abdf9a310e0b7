"""The Mandelbrot set as text: a loop that each thread leaves when it likes."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import numpy as np

import stepwell as sw

SHADES = " .:-=+*#%@"


@sw.kernel
def mandelbrot(out, left, top, width, height, limit):
    row, column = sw.global_id(0), sw.global_id(1)
    cx = left + width * np.float32(column) / np.float32(out.shape[1])
    cy = top + height * np.float32(row) / np.float32(out.shape[0])
    x, y = 0.0, 0.0
    for step in range(limit):
        if x * x + y * y > 4.0:
            out[row, column] = step
            return
        x, y = x * x - y * y + cx, 2.0 * x * y + cy
    out[row, column] = limit


def main() -> None:
    limit = 60
    for device in sw.devices():
        out = np.zeros((24, 72), np.int32)
        mandelbrot.over(out.shape, device=device)(out, -2.2, -1.2, 3.2, 2.4, limit)
        assert out.max() == limit
        assert out[12, 47] == limit, "the middle belongs to the set"
        print(device.name)
        for row in out:
            print("".join(SHADES[min(value * 10 // limit, 9)] for value in row))


if __name__ == "__main__":
    main()
