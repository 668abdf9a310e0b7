"""What launches and copies cost on a Vulkan device, in one process with what they are held against.

    python benchmarks/vulkan_launch.py [--quick]

The kernels are GLSL of the tests, compiled by glslangValidator, so that only the runtime is
measured. Writes `benchmarks/results/vulkan_launch-<device>-<date>.json`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import Row, interleaved, rows_of
from record import record
from vulkan_bare import Bare

from stepwell.launch import Program
from stepwell.runtime.arguments import make_packer
from stepwell.runtime.array import DeviceArray
from stepwell.runtime.devices import device
from stepwell.runtime.vulkan import imports
from stepwell.runtime.vulkan.device import VulkanDevice
from stepwell.runtime.vulkan.launch import BoundLaunch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from vulkan_kernels import artifact

ADD = "uint i = linear_id(); if (i < P.size0.x) BUFFER0(i) += P.amount.x;"
IN_FLIGHT = 100
LIMITS_US = {1: 60.0, IN_FLIGHT: 20.0}
TO_BARE = 1.15
SLEEPING, ASKING = "bare Vulkan, sleeping", "bare Vulkan, asking"
SIZES = (4 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20)
NEVER = 1 << 60
BLOCK = 1024


def repeated(count: int, one: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(count):
            one()

    return run


def measure_launches(on: VulkanDevice, abi: str, quick: bool) -> list[Row]:
    """A tiny kernel, its arrays on the device; microseconds for each launch.

    The limits are those of the project where the driver alone leaves room for them; what a launch
    takes more than bare Vulkan is ours in any case.
    """
    count, rounds = (100, 3) if quick else (400, 50)
    made = artifact(abi, ADD, words=("amount",))
    arrays = [on.zeros(64, "u32") for _ in range(3)]
    pack = make_packer(made.manifest, [arrays[0], 1])
    run = on.load(made).launcher((1, 1, 1), (64, 1, 1))
    bound = getattr(run, "__self__", None)
    assert isinstance(bound, BoundLaunch), "validation is off"
    rows: list[Row] = []
    for array, number in zip(arrays, (1, IN_FLIGHT), strict=False):

        def ours(array: DeviceArray = array, number: int = number) -> None:
            for _ in range(number):
                run(pack([array, 1]))
            on.synchronize()

        bare = Bare(bound, pack([arrays[2], 1]), number)
        calls = {"stepwell": ours, SLEEPING: bare.sleeping, ASKING: bare.asking}
        contenders = {name: repeated(count // number, call) for name, call in calls.items()}
        interleaved(contenders, 1)
        times = interleaved(contenders, rounds)
        bare.close()
        best = min(SLEEPING, ASKING, key=lambda name: float(np.median(times[name])))
        correct = {"stepwell": bool((array.numpy() == count * (rounds + 1)).all())}
        scaled: dict[str, Any] = {"unit": "us", "scale": 1e6 / count, "correct": correct}
        task = f"{abi}, launch + wait" if number == 1 else f"{abi}, {number} in flight"
        limits = {"stepwell": LIMITS_US[number]}
        rows += rows_of(task, {"stepwell": times["stepwell"]}, targets=limits, **scaled)
        task, limits = f"{task}, to bare", {"stepwell": TO_BARE}
        rows += rows_of(task, times, against=best, targets=limits, **scaled)
    return rows


def measure_copies(on: VulkanDevice, nbytes: int, quick: bool) -> list[Row]:
    """Upload and download against a copy in the host's memory; microseconds for each."""
    source = np.random.default_rng(nbytes).integers(0, 255, nbytes, np.uint8)
    target, back = np.zeros_like(source), np.zeros_like(source)
    array = on.array(source)
    count = max(1, min(500, (8 << 20) // nbytes))
    contenders = {
        "memcpy": repeated(count, lambda: np.copyto(target, source)),
        "upload": repeated(count, lambda: on.upload(array.memory, 0, source)),
        "download": repeated(count, lambda: on.download(array.memory, 0, back)),
    }
    interleaved(contenders, 2)
    times = interleaved(contenders, 3 if quick else 25)
    return rows_of(
        f"copy {nbytes >> 10} KiB",
        times,
        unit="us",
        scale=1e6 / count,
        correct={"download": bool((back == source).all())},
        against="memcpy",
        # Smaller ones take 2 us of Python in any case.
        targets={"upload": 1.3, "download": 1.3} if nbytes >= 1 << 20 else {},
    )


class Add(Program):
    """The kernel with a launch that takes NumPy arrays."""

    __name__ = "add"
    parameter_names = ("b0", "amount")

    def artifact_for(self, arguments: Any, form: Any, on: Any) -> Any:
        """Made by glslang."""
        return artifact("bda", ADD, words=("amount",))

    def arrange(self, arguments: Any, keywords: Any) -> Any:
        """As they are."""
        return arguments


def measure_numpy_arguments(on: VulkanDevice, nbytes: int, quick: bool) -> list[Row]:
    """A launch with a NumPy array: copied there and back, or imported where it lies."""
    host = np.zeros(nbytes // 4, np.uint32)
    # Large blocks: over 65535 blocks the grid is folded, and the shader divides to find its own.
    launch = Add().launch(max(1, host.size // BLOCK), BLOCK, device=on)
    resident = on.array(host)

    def with_limit(limit: int) -> None:
        usual, imports.IMPORT_BYTES = imports.IMPORT_BYTES, limit
        launch(host, 1)
        imports.IMPORT_BYTES = usual

    def stays() -> None:
        launch(resident, 1)
        on.synchronize()

    contenders: dict[str, Callable[[], Any]] = {
        "device array": stays,
        "NumPy array, copied": lambda: with_limit(NEVER),
        "NumPy array, imported": lambda: with_limit(0),
    }
    interleaved(contenders, 2)
    times = interleaved(contenders, 3 if quick else 15)
    name = f"launch of {nbytes >> 10} KiB"
    return rows_of(name, times, unit="us", scale=1e6, against="device array")


def main() -> int:
    """Measure everything, write it down; 1 if a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="few rounds: a try")
    quick = parser.parse_args().quick
    on = device("vulkan")
    assert isinstance(on, VulkanDevice), "that is its kind"
    print(on.description)
    rows: list[Row] = []
    parts = [
        *((measure_launches, abi) for abi in ("bda", "bindings")),
        *((measure_copies, nbytes) for nbytes in SIZES),
        *((measure_numpy_arguments, nbytes) for nbytes in SIZES),
    ]
    for measure, case in parts:
        made = measure(on, case, quick)
        rows += made
        for row in made:
            print(row.line(), flush=True)
    if not quick:
        driver = on.description.split()[0].lower()
        record(f"vulkan_launch-{driver}", rows, device=on.description)
    return 0 if all(row.correct for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
