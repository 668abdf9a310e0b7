"""Errors of kernels are told in short: the call, and what is wrong; nothing of what is between."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

import stepwell as sw
from stepwell.dialects.diagnostics import CompileError


@sw.kernel
def unknown_name(x):
    x[0] = lenght  # type: ignore # noqa: F821


@sw.kernel
def reads_too_far(x):
    x[0] = x[sw.global_id() + 4]


def launch(kernel: sw.Kernel, device: str) -> None:
    kernel.over(3, device=sw.device(device))(np.zeros(4, np.float32))


X = sw.Array[sw.f32, 1]
CALLS: dict[str, tuple[type[Exception], Callable[[], object]]] = {
    "language": (CompileError, partial(launch, unknown_name, "cpu")),
    "check": (sw.OutOfBounds, partial(launch, reads_too_far, "cpu")),
    "compile": (CompileError, partial(sw.compile, unknown_name, (X,))),
    "ir": (CompileError, partial(unknown_name.ir, "gpu", X)),
    "explain": (CompileError, partial(unknown_name.explain, X)),
}


@pytest.mark.parametrize("name", CALLS)
def test_there_is_one_frame_of_ours(name: str, monkeypatch: pytest.MonkeyPatch):
    kind, call = CALLS[name]
    with pytest.raises(kind) as caught:
        call()
    ours = [frame for frame in traceback.extract_tb(caught.value.__traceback__) if is_ours(frame)]
    assert len(ours) == 1
    assert "another exception" not in "".join(traceback.format_exception(caught.value))
    monkeypatch.setenv("STEPWELL_DEBUG", "1")
    with pytest.raises(kind) as caught:
        call()
    assert sum(map(is_ours, traceback.extract_tb(caught.value.__traceback__))) > 2


def is_ours(frame: traceback.FrameSummary) -> bool:
    return "stepwell" in frame.filename.replace("\\", "/").split("/")


def test_what_the_sizes_of_a_launch_led_to_is_not_told():
    """A first launch has code that relies on sizes; it is other code that fails."""
    for device in sw.devices():
        reads_too_far.over(1, device=device)(np.zeros(9, np.float32))
        with pytest.raises(sw.OutOfBounds) as caught:
            reads_too_far.over(1, device=device)(np.zeros(4, np.float32))
        assert "another exception" not in "".join(traceback.format_exception(caught.value))
