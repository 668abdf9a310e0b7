"""`stepwell demo`: sort, draw and filter an image on every device, check it, and say how fast."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ..runtime.device import Device
    from .demo_common import Array, Outcome, Tick

NEEDED = {"PIL": "pillow", "rich": "rich"}
FRACTAL_FILE = Path("stepwell-fractal.png")
IMAGE_FILE = Path("stepwell-image.png")
COLUMNS = (
    "device",
    "work",
    "compile ms",
    "upload ms",
    "kernels ms",
    "download ms",
    "GB/s",
    "check",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `stepwell demo`."""
    parser.add_argument("--image", type=Path, help="an image file to filter, instead of our own")
    parser.add_argument("--device", help='only this device, as "cpu" or "cpu:0" (default: all)')


def run(args: argparse.Namespace) -> int:
    """Run the demo; 1 if a check failed, 2 if it cannot be run as asked."""
    missing = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if missing:
        packages = " ".join(missing)
        return refuse(f"{packages} is missing; install it with: pip install {packages}")
    from ..runtime.devices import device, devices
    from ..runtime.errors import DeviceError
    from .demo_image import PHOTO, ImageError, load

    try:
        image = load(args.image or PHOTO)
        chosen = [device(args.device)] if args.device else list(devices())
    except (ImageError, DeviceError) as error:
        return refuse(str(error))
    if not chosen:
        return refuse("there is no device at all; `stepwell doctor` says what to install")
    return Demo(chosen, image, args.image or PHOTO).run()


def refuse(reason: str) -> int:
    """Say why it cannot be done; the exit status for that."""
    print(f"stepwell demo: error: {reason}", file=sys.stderr)
    return 2


class Demo:
    """One run over some devices."""

    def __init__(self, devices: list[Device], image: Array, source: Path):
        from rich.console import Console

        self.devices, self.image, self.source = devices, image, source
        self.console = Console(highlight=False)
        self.outcomes: list[Outcome] = []
        self.sorted: dict[str, list[bytes]] = {}
        self.files: list[Path] = []

    def run(self) -> int:
        """All work on all devices, then the table; the exit status."""
        with progress(self.console, len(self.devices) * 11) as tick:
            for device in self.devices:
                self.run_on(device, tick)
        self.compare_devices()
        self.report()
        return 1 if any(outcome.problems for outcome in self.outcomes) else 0

    def run_on(self, device: Device, tick: Tick) -> None:
        """The three workloads on one device; the first device's pictures are kept."""
        from . import demo_fractal, demo_image, demo_sorts

        outcome, self.sorted[device.name] = demo_sorts.run(device, tick)
        self.outcomes.append(outcome)
        tick(f"{device.name}: fractal")
        outcome, drawn = demo_fractal.run(device)
        self.outcomes.append(outcome)
        tick(f"{device.name}: image")
        outcome, filtered = demo_image.run(device, self.image)
        self.outcomes.append(outcome)
        if not self.files:
            self.save(FRACTAL_FILE, drawn)
            self.save(IMAGE_FILE, side_by_side(self.image, filtered))

    def save(self, path: Path, pixels: Array) -> None:
        """Write a picture and remember its name."""
        from PIL import Image

        Image.fromarray(pixels).save(path)
        self.files.append(path)

    def compare_devices(self) -> None:
        """What was sorted must be the same on all devices, bit for bit."""
        from .demo_sorts import CASES

        first, *others = self.sorted
        for name in others:
            [outcome] = [o for o in self.outcomes if o.device == name and o.work.endswith("sorts")]
            for case, a, b in zip(CASES, self.sorted[first], self.sorted[name], strict=True):
                outcome.expect(a == b, f"{case}: not the same bits as on {first}")

    def report(self) -> None:
        """The devices, the table, the files, and every failed check."""
        from rich.table import Table

        for device in self.devices:
            self.console.print(f"{device.name}: {device.description}", markup=False)
        table = Table(*COLUMNS)
        for column in table.columns[2:-1]:
            column.justify = "right"
        for outcome in self.outcomes:
            table.add_row(*cells(outcome))
        self.console.print(table)
        how_many = f"{len(self.devices)} devices" if len(self.devices) > 1 else "one device"
        checked = f"order and permutation of each sort, every pixel against NumPy; {how_many}"
        self.console.print(f"checked: {checked}", soft_wrap=True)
        height, width, _ = self.image.shape
        self.console.print(
            f"image: {self.source} ({width} x {height})", markup=False, soft_wrap=True
        )
        for path in self.files:
            self.console.print(f"wrote {path}", markup=False)
        for outcome in self.outcomes:
            for problem in outcome.problems:
                line = f"FAILED {outcome.device}, {outcome.work}: {problem}"
                self.console.print(line, style="bold red", markup=False, soft_wrap=True)


def cells(outcome: Outcome) -> list[str]:
    """One row of the table."""
    milliseconds = (
        outcome.compile_ms,
        outcome.upload_ms,
        outcome.kernels_ms,
        outcome.download_ms,
    )
    return [
        outcome.device,
        outcome.work,
        *(f"{value:.1f}" for value in milliseconds),
        f"{outcome.gigabytes_per_second:.2f}",
        "[red]FAILED[/red]" if outcome.problems else "[green]ok[/green]",
    ]


def side_by_side(image: Array, filtered: object) -> Array:
    """The image, blurred, its edges and equalised, as one picture of two by two."""
    import numpy as np

    from .demo_image import Results

    assert isinstance(filtered, Results), "given by demo_image.run"
    edges, equalised = (
        np.repeat(part[..., None], 3, axis=2) for part in (filtered.edges, filtered.equalised)
    )
    top = np.concatenate((image, filtered.blurred), axis=1)
    return np.concatenate((top, np.concatenate((edges, equalised), axis=1)), axis=0)


@contextmanager
def progress(console: Console, steps: int) -> Generator[Tick]:
    """A bar while the body runs, gone afterwards; nothing where the output is no terminal."""
    from rich.progress import Progress

    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=steps)

        def tick(text: str) -> None:
            bar.update(task, description=text)
            bar.advance(task)

        yield tick
