"""Conway's game of life on a torus: two dimensions, two arrays in turn, nothing copied."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import numpy as np

import stepwell as sw

GLIDER = ((0, 1), (1, 2), (2, 0), (2, 1), (2, 2))


@sw.kernel
def generation(now, then):
    i, j = sw.global_id(0), sw.global_id(1)
    rows, columns = now.shape
    neighbours = 0
    for di in sw.unroll(range(-1, 2)):
        for dj in sw.unroll(range(-1, 2)):
            if di != 0 or dj != 0:
                neighbours += now[(i + di) % rows, (j + dj) % columns]
    match neighbours:
        case 3:
            then[i, j] = 1
        case 2:
            then[i, j] = now[i, j]
        case _:
            then[i, j] = 0


def main() -> None:
    board = np.zeros((24, 32), np.uint8)
    for i, j in GLIDER:
        board[i, j] = 1
    for device in sw.devices():
        now, then = device.array(board), device.array(board)
        for _ in range(4 * 10):  # a glider moves one field down and right in four generations
            generation.over(board.shape, device=device)(now, then)
            now, then = then, now
        assert np.array_equal(now.numpy(), np.roll(board, (10, 10), axis=(0, 1)))
        print(f"{device.name}: the glider is where it should be")


if __name__ == "__main__":
    main()
