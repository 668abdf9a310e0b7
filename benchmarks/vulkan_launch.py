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

from stepwell.launch import Program
from stepwell.runtime.arguments import make_packer
from stepwell.runtime.device import device
from stepwell.runtime.vulkan import imports
from stepwell.runtime.vulkan.device import VulkanDevice

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from vulkan_kernels import artifact

ADD = "uint i = linear_id(); if (i < P.size0.x) BUFFER0(i) += P.amount.x;"
IN_FLIGHT = 100
SIZES = (4 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20)
NEVER = 1 << 60


def repeated(count: int, one: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(count):
            one()

    return run


def measure_launches(on: VulkanDevice, abi: str, quick: bool) -> list[Row]:
    """A tiny kernel, its arrays on the device; microseconds for each launch."""
    count, rounds = (100, 3) if quick else (400, 25)
    made = artifact(abi, ADD, words=("amount",))
    one, two = on.zeros(64, "u32"), on.zeros(64, "u32")
    pack = make_packer(made.manifest, [one, 1])
    run = on.load(made).launcher((1, 1, 1), (64, 1, 1))

    def launch_and_wait() -> None:
        run(pack([one, 1]))
        on.synchronize()

    def in_flight() -> None:
        for _ in range(IN_FLIGHT):
            run(pack([two, 1]))
        on.synchronize()

    waiting, flying = f"{abi}, launch + wait", f"{abi}, {IN_FLIGHT} in flight"
    contenders = {
        waiting: repeated(count, launch_and_wait),
        flying: repeated(count // IN_FLIGHT, in_flight),
    }
    interleaved(contenders, 1)
    times = interleaved(contenders, rounds)
    expected = count * (rounds + 1)
    return rows_of(
        "launch",
        times,
        unit="us",
        scale=1e6 / count,
        correct={
            waiting: bool((one.numpy() == expected).all()),
            flying: bool((two.numpy() == expected).all()),
        },
        targets={waiting: 60, flying: 20},
    )


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
    launch = Add().launch(max(1, host.size // 64), 64, device=on)
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
