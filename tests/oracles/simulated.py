"""What devices that exist for tests only share: how their kernels are launched and forgotten."""

from __future__ import annotations

from abc import abstractmethod

from stepwell import targets
from stepwell.runtime import devices
from stepwell.runtime.device import Launcher, LoadedKernel, Stream
from stepwell.runtime.launch_shape import PLAIN, Dim3, LaunchOptions, check_launch


class SimulatedKernel(LoadedKernel):
    """A kernel that has run when `launch` returns."""

    @abstractmethod
    def launch(self, packed: bytes, grid: Dim3, block: Dim3, shared_bytes: int) -> None:
        """Run all blocks, of which there is one at least; raise or print what was reported."""

    def launcher(
        self,
        grid: Dim3,
        block: Dim3,
        shared_bytes: int = 0,
        stream: Stream | None = None,
        options: LaunchOptions = PLAIN,
    ) -> Launcher:
        """See `LoadedKernel.launcher`."""
        check_launch(self.device, self.manifest, grid, block, shared_bytes, options)

        def launch(packed: bytes) -> None:
            if 0 not in grid:
                self.launch(packed, grid, block, shared_bytes)

        return launch


def forget(kind: str) -> None:
    """Make a device and its target unknown again."""
    devices.KINDS.pop(kind, None)
    devices.forget(kind)
    targets.TARGETS.pop(kind, None)
    targets.FAMILIES.pop(kind, None)
