"""Several threads of a program launch at once."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from threading import Thread, get_ident

import numpy as np
import pytest

import stepwell as sw
from stepwell.runtime import outcome
from stepwell.runtime.artifact import Manifest
from stepwell.runtime.report import Decoded


@pytest.mark.parametrize("device", sw.devices(), ids=lambda device: device.name)
def test_a_launch_with_numpy_arrays_raises_where_it_was_made(device: sw.Device):
    """Also where other threads wait for the same device."""

    @sw.kernel
    def next_one(x, y):
        i = sw.global_id(0)
        y[i] = x[i + 1]

    raised: list[list[bool]] = [[] for _ in range(3)]

    def launch_often(found: list[bool]) -> None:
        for number in range(30):
            x = np.zeros(9 - number % 2, np.float32)
            try:
                next_one.over(8, device=device)(x, np.zeros(8, np.float32))
            except sw.OutOfBounds:
                found.append(True)
            else:
                found.append(False)

    threads = [Thread(target=launch_often, args=(found,)) for found in raised]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == [[False, True] * 15] * 3


def test_what_a_thread_no_longer_waits_for_is_told_to_the_next_that_waits(
    monkeypatch: pytest.MonkeyPatch,
):
    someone, nobody = get_ident() + 1, get_ident() + 2
    monkeypatch.setattr(outcome, "waiting", {someone})
    found = [
        outcome.Outcome(Decoded([], 0), Manifest("k", "vulkan", "k"), thread)
        for thread in (0, get_ident(), someone, nobody)
    ]
    told, rest = outcome.for_this_thread(found)
    assert [one.thread for one in told] == [0, get_ident(), nobody]
    assert [one.thread for one in rest] == [someone]
