"""Launches of the same arguments again: they do what others do, and keep no array alive."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from cuda_devices import simulated

import stepwell as sw
from stepwell.launch import Launch
from stepwell.runtime.errors import ArrayError
from stepwell.runtime.repeat import repeated

OFTEN = 20
"""Launches after which a repeated one is recognised."""


@pytest.fixture
def device() -> Generator[Any]:
    with simulated() as found:
        yield found


@sw.kernel(checks=False)
def add(x, a):
    i = sw.global_id(0)
    x[i] += a


@sw.kernel(checks=False)
def divide(x, a):
    i = sw.global_id(0)
    x[i] = 1 / a


def warm(kernel: sw.Kernel, device: sw.Device, *arguments: Any) -> Launch:
    launch = kernel.launch(1, 4, device=device)
    for _ in range(OFTEN):
        launch(*arguments)
    assert launch._direct is not None
    return launch


def again(launch: Launch, *arguments: Any) -> Any:
    assert launch._direct is not None
    return launch._direct[0](*arguments)


def test_the_same_arguments_are_launched_again(device: sw.Device) -> None:
    x, a = device.zeros(4), np.float32(1)
    launch = warm(add, device, x, a)
    assert again(launch, x, a) is None
    assert x.numpy().tolist() == [OFTEN + 1.0] * 4


def test_other_arguments_are_packed(device: sw.Device) -> None:
    x, y, a = device.zeros(4), device.zeros(4), np.float32(1)
    launch = warm(add, device, x, a)
    launch(y, a)
    launch(x, np.float32(2))
    launch(x, np.float32(1))
    assert (x.numpy()[0], y.numpy()[0]) == (OFTEN + 3, 1)
    assert again(launch, y, a) is False and again(launch, x, np.float64(1)) is False


def test_zeros_of_either_sign_are_told_apart(device: sw.Device) -> None:
    x = device.zeros(4)
    launch = warm(divide, device, x, np.float32(0.0))
    launch(x, np.float32(-0.0))
    assert x.numpy()[0] == -np.inf


def test_wrong_numbers_of_arguments_are_refused_as_ever(device: sw.Device) -> None:
    x, a = device.zeros(4), np.float32(1)
    launch = warm(add, device, x, a)
    for wrong in ((x,), (x, a, a)):
        with pytest.raises((ArrayError, TypeError)) as raised:
            launch(*wrong)
        with pytest.raises(raised.type) as first:
            add.launch(1, 4, device=device)(*wrong)
        assert str(raised.value) == str(first.value)


def test_an_array_is_not_kept_alive(device: sw.Device) -> None:
    x, a = device.zeros(4), np.float32(1)
    launch, gone = warm(add, device, x, a), weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None
    y = device.zeros(4)
    launch(y, a)
    assert y.numpy()[0] == 1


def test_structs_that_can_be_changed_are_packed_each_time() -> None:
    struct = np.zeros((), [("a", np.float32)])[()]
    assert isinstance(struct, np.void)
    assert repeated(lambda packed: None, b"", [struct]) is None
    assert repeated(lambda packed: None, b"", [np.float32(1)]) is not None


def test_none_is_not_taken_for_an_array_that_is_gone(device: sw.Device) -> None:
    x, a = device.zeros(4), np.float32(1)
    launch = warm(add, device, x, a)
    del x
    gc.collect()
    assert again(launch, None, a) is False
    with pytest.raises(ArrayError):
        launch(None, a)


def test_arrays_of_the_host_are_moved_each_time(device: sw.Device) -> None:
    launch, x, a = add.launch(1, 4, device=device), np.zeros(4, np.float32), np.float32(1)
    for _ in range(OFTEN):
        launch(x, a)
    assert launch._direct is None
    assert x.tolist() == [OFTEN] * 4
