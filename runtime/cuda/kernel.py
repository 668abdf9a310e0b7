"""A PTX or cubin artifact on its device: loaded, held against the limits, launched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..artifact import Artifact, Manifest
from ..device import Launcher, LoadedKernel, Stream, launch_nothing
from ..errors import ArtifactError, LaunchError
from ..launch_shape import PLAIN, Dim3, LaunchOptions, check_cluster, check_launch
from ..report_pool import ReportPool
from .driver import CudaError, result_name
from .launch import BoundLaunch, launch_config
from .slots import Slots
from .table import RESULTS

if TYPE_CHECKING:
    from .device import CudaDevice

PTX, CUBIN = "ptx", "cubin"
MAX_LAUNCHERS = 64
PORTABLE_CLUSTER = 8  # blocks that every device with clusters runs together
STATIC_SHARED = 48 * 1024
LOG_BYTES = 8192
# Blocks that are tried where the launch leaves the choice to the device, the usual one first.
BLOCK_SIZES = (256, 128, 512, 64, 1024)


class Occupancy(NamedTuple):
    """How a kernel fills a multiprocessor: blocks at once, their threads, registers a thread."""

    blocks: int
    threads: int
    registers: int


def why_unfit(manifest: Manifest, capability: tuple[int, int]) -> str | None:
    """Why a GPU of a compute capability cannot run an artifact, or None.

    PTX runs on every later GPU, a cubin on later ones of the same generation, and what is for one
    chip ("sm_90a") on that alone.
    """
    if manifest.target != "cuda":
        return f"it is for {manifest.target!r}"
    if manifest.abi not in ("", PTX, CUBIN):
        return f"its code is {manifest.abi!r}, expected {PTX} or {CUBIN}"
    digits = manifest.cpu.removeprefix("sm_").rstrip("af")
    if not digits.isdigit():
        return f"its architecture is {manifest.cpu!r}, expected one such as sm_90"
    made_for, here = divmod(int(digits), 10), f"sm_{capability[0]}{capability[1]}"
    if manifest.cpu.endswith("a") and made_for != capability:
        return f"it is for {manifest.cpu} alone, the device is {here}"
    same_family = made_for[0] == capability[0]
    if not same_family and (manifest.cpu.endswith("f") or manifest.abi == CUBIN):
        return f"it is for the family of {manifest.cpu}, the device is {here}"
    if made_for > capability:
        return f"it is for {manifest.cpu} and newer, the device is {here}"
    return None


class CudaKernel(LoadedKernel):
    """A kernel on a CUDA device."""

    def __init__(self, device: CudaDevice, artifact: Artifact):
        self.device = device
        self.multiprocessors = device.properties.multiprocessors
        self.manifest = manifest = artifact.manifest
        why = why_unfit(manifest, device.properties.capability)
        if why is not None:
            raise ArtifactError(f"artifact of {manifest.name} does not fit {device.name}: {why}")
        if manifest.static_shared_bytes > STATIC_SHARED:
            check_launch(device, manifest, (1, 1, 1), manifest.known_block or (1, 1, 1), 0)
            raise LaunchError(
                f"kernel {manifest.name} has {manifest.static_shared_bytes} bytes in arrays of a "
                f"fixed size in shared memory, of which CUDA allows {STATIC_SHARED}; what is more "
                "is given to a launch by shared_bytes="
            )
        self.core = core = device.core
        with core.lock, core.context.current():
            core.refuse_capture(f"loading kernel {manifest.name}")
            self._module = self._load(artifact)
            self.function: Any = core.context.call(
                "cuModuleGetFunction", self._module, manifest.entry.encode()
            )
        self.reports = ReportPool(manifest, core.host.make) if manifest.has_report else None
        self.mark_every = max(1, self.reports.most // 8) if self.reports is not None else 0
        self.slots = Slots.of(manifest)
        self._shared_allowed = STATIC_SHARED - manifest.static_shared_bytes
        self._block_size = 0
        core.kernels.add(self)

    def launcher(
        self,
        grid: Dim3,
        block: Dim3,
        shared_bytes: int = 0,
        stream: Stream | None = None,
        options: LaunchOptions = PLAIN,
    ) -> Launcher:
        """See `LoadedKernel.launcher`."""
        queue = self.core.queue_of(stream)
        key = (self, grid, block, shared_bytes, options)
        known = queue.launchers.get(key)
        if known is not None:
            return known
        check_launch(self.device, self.manifest, grid, block, shared_bytes, options)
        if 0 in grid:
            return launch_nothing
        self._check_block(block)
        self._allow_shared(shared_bytes)
        self._check_options(grid, block, shared_bytes, options)
        if len(queue.launchers) >= MAX_LAUNCHERS:
            queue.launchers.clear()
        bound = BoundLaunch(self, queue, grid, block, shared_bytes, options)
        made = queue.launchers[key] = bound.launcher()
        return made

    def occupancy(self, threads: int, shared_bytes: int = 0) -> Occupancy:
        """How many blocks of so many threads run on a multiprocessor at once."""
        core = self.core
        self._allow_shared(shared_bytes)
        with core.lock, core.context.current():
            name = "cuOccupancyMaxActiveBlocksPerMultiprocessor"
            blocks = int(core.context.call(name, self.function, threads, shared_bytes))
            registers = int(core.context.call("cuFuncGetAttribute", "NUM_REGS", self.function))
        return Occupancy(blocks, blocks * threads, registers)

    def preferred_threads(self) -> int:
        """Threads of a block with which most threads run on a multiprocessor at once."""
        if not self._block_size:
            most = self._most_threads()
            sizes = [size for size in BLOCK_SIZES if size <= most] or [most]
            self._block_size = max(sizes, key=lambda size: self.occupancy(size).threads)
        return self._block_size

    def keep_spare_report(self) -> None:
        """Have a report buffer at hand for a graph, during whose capture none can be made."""
        if self.reports is not None and not self.reports.free:
            self.reports.free.append(self.reports.add())

    def _load(self, artifact: Artifact) -> Any:
        """Give the code to the driver, which compiles PTX."""
        log = bytearray(LOG_BYTES)
        try:
            return self.core.driver.call(
                "cuModuleLoadDataEx",
                artifact.payload + b"\0",
                2,
                ["ERROR_LOG_BUFFER", "ERROR_LOG_BUFFER_SIZE_BYTES"],
                [log, LOG_BYTES],
            )
        except CudaError as error:
            if error.code not in _UNLOADABLE:
                raise self.core.failed(error.code, "cuModuleLoadDataEx") from None
            said = bytes(log).partition(b"\0")[0].decode(errors="replace").strip()
            raise ArtifactError(
                f"the driver of {self.device.name} does not load kernel {self.manifest.name} "
                f"({result_name(error.code)}){_UNLOADABLE[error.code]}{': ' * bool(said)}{said}"
            ) from None

    def _most_threads(self) -> int:
        core = self.core
        with core.lock, core.context.current():
            return int(
                core.context.call("cuFuncGetAttribute", "MAX_THREADS_PER_BLOCK", self.function)
            )

    def _check_block(self, block: Dim3) -> None:
        threads, most = block[0] * block[1] * block[2], self._most_threads()
        if threads > most:
            raise LaunchError(
                f"block {block} of kernel {self.manifest.name} has {threads} threads; its "
                f"registers leave room for {most} on {self.device.name}: use smaller blocks, or "
                f"@kernel(block={block}), which fits the registers to them"
            )

    def _allow_shared(self, shared_bytes: int) -> None:
        """Dynamic shared memory beyond what every kernel may have is allowed by asking for it."""
        if shared_bytes <= self._shared_allowed:
            return
        core = self.core
        with core.lock, core.context.current():
            core.context.call(
                "cuFuncSetAttribute",
                self.function,
                "MAX_DYNAMIC_SHARED_SIZE_BYTES",
                shared_bytes,
            )
        self._shared_allowed = shared_bytes

    def _check_options(
        self, grid: Dim3, block: Dim3, shared_bytes: int, options: LaunchOptions
    ) -> None:
        name = self.manifest.name
        if options.cooperative:
            blocks, threads = grid[0] * grid[1] * grid[2], block[0] * block[1] * block[2]
            fit = self.occupancy(threads, shared_bytes).blocks
            most = fit * self.multiprocessors
            if blocks > most:
                raise LaunchError(
                    f"a cooperative launch of kernel {name} has {blocks} blocks of {threads} "
                    f"threads; {self.device.name} runs {most} at once: let each do more"
                )
        if options.cluster is not None and options.cluster != self.manifest.cluster:
            check_cluster(self.device, name, options.cluster, grid)
        cluster = options.cluster or self.manifest.cluster
        if cluster is not None:
            self._check_clusters(grid, block, shared_bytes, cluster)

    def _check_clusters(self, grid: Dim3, block: Dim3, shared_bytes: int, cluster: Dim3) -> None:
        """Ask the driver whether such clusters fit; those of more than 8 blocks, if allowed."""
        core = self.core
        options = LaunchOptions(cluster=cluster)
        with core.lock, core.context.current():
            if cluster[0] * cluster[1] * cluster[2] > PORTABLE_CLUSTER:
                core.context.call(
                    "cuFuncSetAttribute", self.function, "NON_PORTABLE_CLUSTER_SIZE_ALLOWED", 1
                )
            config = launch_config(
                core.driver, grid, block, shared_bytes, core.default.handle, options
            )
            try:
                fit = core.driver.call("cuOccupancyMaxActiveClusters", self.function, config)
            except CudaError as error:
                if error.code != RESULTS["ERROR_INVALID_CLUSTER_SIZE"]:
                    raise core.failed(error.code, error.function) from None
                fit = 0
        if not fit:
            raise LaunchError(
                f"no cluster of {cluster} blocks of kernel {self.manifest.name} fits "
                f"{self.device.name}; use smaller clusters or blocks"
            )

    def __del__(self) -> None:
        if hasattr(self, "_module"):  # not where __init__ refused it
            self.core.dead_modules.append(self._module)  # launches under way may need it


_UNLOADABLE = {
    RESULTS["ERROR_INVALID_PTX"]: "",
    RESULTS["ERROR_INVALID_IMAGE"]: "",
    RESULTS["ERROR_NO_BINARY_FOR_GPU"]: "",
    RESULTS["ERROR_JIT_COMPILER_NOT_FOUND"]: ", it has no PTX compiler; use a cubin",
    RESULTS["ERROR_UNSUPPORTED_PTX_VERSION"]: ", the PTX is newer than it: update the driver",
}
