"""Kernels on a Vulkan device: ours beside the same in GLSL and in WGSL.

    python benchmarks/vulkan_throughput.py [--device NAME] [--small]

Shaders in GLSL are compiled by glslangValidator and launched by our runtime, with the arguments of
our kernels, so that only the code differs. Shaders in WGSL go through wgpu, on an adapter of the
same driver. Blocks are as large as those of the WGSL, which a kernel may say (`block=`). Each round
launches a kernel several times and waits once. A contender whose tools are not there is left out,
and the output says so.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import Row, interleaved, rows_of
from record import picture_of, record
from vulkan_kernels import Task, tasks

import stepwell as sw
from stepwell.runtime.artifact import Artifact, Form

HERE = Path(__file__).parent
ROUNDS = 25
LAUNCHES = 5
LIMITS = {"stepwell, checks off": 1.05, "stepwell": 1.15}
Launch = Callable[[], None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="vulkan")
    parser.add_argument("--small", action="store_true", help="small arrays, two rounds")
    args = parser.parse_args()
    device = sw.device(args.device)
    print(f"{device.name}: {device.description}")
    rounds = 2 if args.small else ROUNDS
    rows: list[Row] = []
    missing = {why for task in tasks(args.small) for why in measure(task, device, rounds, rows)}
    for why in sorted(missing):
        print(f"left out: {why}")
    if not args.small:
        facts = {"device": device.description, "launches_a_round": LAUNCHES}
        left_out = sorted(missing)
        name = f"vulkan_throughput-{device.description.split()[0].lower()}"
        path = record(name, rows, tools=_tools(), left_out=left_out, **facts)
        picture_of(path, rows)
    return 0 if all(row.correct for row in rows) else 1


def measure(task: Task, device: sw.Device, rounds: int, rows: list[Row]) -> list[str]:
    """Adds the rows of a task; what is left out."""
    contenders: dict[str, Launch] = {}
    correct: dict[str, bool] = {}
    missing: list[str] = []
    for name, prepare in PREPARE.items():
        try:
            launch, wait, result = prepare(task, device)
        except Missing as why:
            missing.append(str(why))
            continue
        launch()
        wait()
        scale = np.abs(task.expected).max()
        correct[name] = bool(np.abs(result() - task.expected).max() <= task.tolerance * scale)

        def several(launch: Launch = launch, wait: Launch = wait) -> None:
            for _ in range(LAUNCHES):
                launch()
            wait()

        several()
        contenders[name] = several
    times = interleaved(contenders, rounds)
    peers = [name for name in times if not name.startswith("stepwell")]
    best = min(peers, key=lambda name: float(np.median(times[name])), default="")
    made = rows_of(
        task.name,
        times,
        unit="ms",
        scale=1e3 / LAUNCHES,
        correct=correct,
        against=best,
        targets=LIMITS if best else None,
    )
    for row in made:
        print(row.line(), flush=True)
    rows += made
    return missing


class Missing(Exception):
    """A tool that is not there."""


Prepared = tuple[Launch, Launch, Callable[[], Any]]


def ours(checks: bool) -> Callable[[Task, sw.Device], Prepared]:
    """Our kernel, with or without checks."""

    def prepare(task: Task, device: sw.Device) -> Prepared:
        kernel = sw.kernel(checks=checks, block=task.block)(task.function)
        arguments = _on(device, task)
        bound = kernel.launch(task.grid, task.block, device=device)
        return lambda: bound(*arguments), device.synchronize, arguments[task.result].numpy

    return prepare


def glsl(task: Task, device: sw.Device) -> Prepared:
    """The shader, in place of the code of our kernel's artifact."""
    if shutil.which("glslangValidator") is None:
        raise Missing("GLSL: there is no glslangValidator (glslang-tools)")
    kernel = sw.kernel(checks=False)(task.function)
    arguments = _on(device, task)
    rank = len(task.block)
    own = kernel.compile(
        kernel.parameter_types(arguments),
        target=device.target,
        form=Form(block_rank=rank),
    )
    if own.manifest.abi != "bda":
        raise Missing(f"GLSL: {device.name} passes no buffers by address")
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "shader.spv"
        source = HERE / "glsl" / f"{task.name}.comp"
        command = ["glslangValidator", "--target-env", "vulkan1.3", "-o", str(binary), str(source)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        manifest = own.manifest._replace(entry="main", has_report=False, sites=())
        loaded = device.load(Artifact(manifest, binary.read_bytes()))
    from stepwell.runtime.arguments import make_packer
    from stepwell.runtime.launch_shape import dim3

    pack = make_packer(own.manifest, arguments)
    run = loaded.launcher(dim3(task.grid, "grid"), dim3(task.block, "block"))
    return lambda: run(pack(arguments)), device.synchronize, arguments[task.result].numpy


def _on(device: sw.Device, task: Task) -> list[Any]:
    return [device.array(a) if isinstance(a, np.ndarray) else a for a in task.arguments]


def wgsl(task: Task, device: sw.Device) -> Prepared:
    """The shader in WGSL, by wgpu."""
    try:
        import wgpu
    except ImportError:
        raise Missing("WGSL: there is no wgpu") from None
    gpu: Any = _wgpu_device(wgpu, device)
    arrays = [a for a in task.arguments if isinstance(a, np.ndarray)]
    usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC
    buffers = [gpu.create_buffer_with_data(data=array, usage=usage) for array in arrays]
    source = (HERE / "wgsl" / f"{task.name}.wgsl").read_text(encoding="utf-8")
    constants = {"side": arrays[0].shape[0]} if "override side" in source else {}
    module = gpu.create_shader_module(code=source)
    pipeline = gpu.create_compute_pipeline(
        layout="auto",
        compute={"module": module, "entry_point": "main", "constants": constants},
    )
    entries = [
        {"binding": i, "resource": {"buffer": b, "offset": 0, "size": b.size}}
        for i, b in enumerate(buffers)
    ]
    group = gpu.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    grid = (*task.grid, 1, 1)[:3]

    def launch() -> None:
        encoder = gpu.create_command_encoder()
        work = encoder.begin_compute_pass()
        work.set_pipeline(pipeline)
        work.set_bind_group(0, group)
        work.dispatch_workgroups(*grid)
        work.end()
        gpu.queue.submit([encoder.finish()])

    index = [i for i, a in enumerate(task.arguments) if isinstance(a, np.ndarray)].index(
        task.result
    )
    want = arrays[index]

    def result() -> Any:
        data = gpu.queue.read_buffer(buffers[index])
        return np.frombuffer(data, want.dtype).reshape(want.shape)

    def wait() -> None:
        gpu.queue.read_buffer(buffers[index], 0, 4)

    return launch, wait, result


_wgpu: dict[str, Any] = {}


def _wgpu_device(wgpu: Any, device: sw.Device) -> Any:
    """The device of wgpu on the same driver as ours."""
    if device.name not in _wgpu:
        adapters = wgpu.gpu.enumerate_adapters_sync()
        name = device.description.split(" (")[0].lower()
        same = [
            a
            for a in adapters
            if name in str(a.info["device"]).lower() and a.info["backend_type"] == "Vulkan"
        ]
        if not same:
            raise Missing(f"WGSL: wgpu has no adapter called {name}")
        limits = {"max-storage-buffer-binding-size": 128 << 20}
        _wgpu[device.name] = same[0].request_device_sync(required_limits=limits)
    return _wgpu[device.name]


PREPARE: dict[str, Callable[[Task, sw.Device], Prepared]] = {
    "GLSL": glsl,
    "WGSL": wgsl,
    "stepwell, checks off": ours(checks=False),
    "stepwell": ours(checks=True),
}


def _tools() -> dict[str, str]:
    found: dict[str, str] = {}
    if shutil.which("glslangValidator") is not None:
        text = subprocess.run(
            ["glslangValidator", "--version"], capture_output=True, text=True, check=False
        ).stdout
        found["glslang"] = text.partition("\n")[0]
    try:
        from importlib.metadata import version

        found["wgpu"] = version("wgpu")
    except ImportError:
        found["wgpu"] = "not installed"
    return found


if __name__ == "__main__":
    sys.exit(main())
