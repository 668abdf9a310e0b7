"""Pipelines: one for each kernel and size of block, made once; the driver's cache of them on disk.

The sizes of the block are specialisation constants (see SPECIALISATION), so that one SPIR-V module
serves all of them.
"""

from __future__ import annotations

import ctypes
import struct
import threading
from typing import Any, NamedTuple

from ..artifact import Artifact
from ..cache import Cache
from ..errors import DeviceError
from .api import S, array, chain
from .context import Context
from .table import SHADER_STAGE_COMPUTE, STAGE_FULL_SUBGROUPS

Dim3 = tuple[int, int, int]
HEADER_BYTES = 32  # what every cache starts with: version and device
# SpecId 0-2: the block; 3: whether the grid is folded; 4: bytes of dynamic shared memory.
SPECIALISATION = struct.Struct("<IIIII")


class Variant(NamedTuple):
    """What a pipeline is made for."""

    block: Dim3
    folded: bool
    shared_bytes: int


class PipelineCache:
    """The driver's cache: read when the first pipeline is made, written when the device closes."""

    def __init__(self, context: Context):
        physical = context.physical
        facts = physical.properties
        uuid = bytes(facts.pipelineCacheUUID).hex()
        self._key = f"vulkan-{facts.vendorID:x}-{facts.deviceID:x}-{facts.driverVersion:x}-{uuid}"
        self._context = context
        self._files = Cache()
        self._stored = self._files.get(self._key) or b""
        info = S.PipelineCacheCreateInfo(initialDataSize=len(self._stored))
        data = ctypes.create_string_buffer(self._stored, len(self._stored) or 1)
        info.pInitialData = ctypes.addressof(data)
        self.handle = context.make("CreatePipelineCache", info)

    def close(self) -> None:
        """Store what is new, and destroy."""
        if not self._context.lost and not self._context.is_stuck:
            self._store()
        self._context.destroy("DestroyPipelineCache", self.handle)

    def _store(self) -> None:
        size = ctypes.c_size_t()
        self._context.call("GetPipelineCacheData", self.handle, ctypes.byref(size), None)
        data = ctypes.create_string_buffer(size.value)
        self._context.call("GetPipelineCacheData", self.handle, ctypes.byref(size), data)
        content = data.raw[: size.value]
        if len(content) > HEADER_BYTES and content != self._stored:
            self._files.put(self._key, content)


class Pipelines:
    """The pipelines of one kernel; `descriptors` is a set layout or 0."""

    def __init__(
        self,
        context: Context,
        cache: PipelineCache,
        artifact: Artifact,
        push_bytes: int,
        descriptors: int,
    ):
        self._context = context
        self._cache = cache
        self._manifest = artifact.manifest
        self._lock = threading.Lock()
        self._made: dict[Variant, int] = {}
        code = ctypes.create_string_buffer(artifact.payload, len(artifact.payload))
        info = S.ShaderModuleCreateInfo(codeSize=len(code), pCode=ctypes.addressof(code))
        self._module = context.make("CreateShaderModule", info)
        pushed = S.PushConstantRange(stageFlags=SHADER_STAGE_COMPUTE, size=push_bytes)
        layouts = array(ctypes.c_uint64, [descriptors])
        self.layout = context.make(
            "CreatePipelineLayout",
            S.PipelineLayoutCreateInfo(
                setLayoutCount=int(descriptors != 0),
                pSetLayouts=ctypes.addressof(layouts),
                pushConstantRangeCount=int(push_bytes != 0),
                pPushConstantRanges=ctypes.addressof(pushed),
            ),
        )

    def get(self, variant: Variant) -> int:
        """The pipeline of a variant."""
        with self._lock:
            found = self._made.get(variant)
            if found is None:
                found = self._made[variant] = self._make(variant)
            return found

    def close(self) -> None:
        """Destroy all of them."""
        context = self._context
        for pipeline in self._made.values():
            context.destroy("DestroyPipeline", pipeline)
        context.destroy("DestroyPipelineLayout", self.layout)
        context.destroy("DestroyShaderModule", self._module)

    def _make(self, variant: Variant) -> int:
        context, info = self._context, S.ComputePipelineCreateInfo(layout=self.layout)
        values = SPECIALISATION.pack(*variant.block, variant.folded, variant.shared_bytes)
        data = ctypes.create_string_buffer(values, len(values))
        rows = (S.SpecializationMapEntry(i, 4 * i, 4) for i in range(len(values) // 4))
        entries = array(S.SpecializationMapEntry, rows)
        constants = S.SpecializationInfo(
            len(entries), ctypes.addressof(entries), len(values), ctypes.addressof(data)
        )
        stage = S.PipelineShaderStageCreateInfo(
            stage=SHADER_STAGE_COMPUTE,
            module=self._module,
            pName=self._manifest.entry.encode(),
            pSpecializationInfo=ctypes.addressof(constants),
        )
        sized = self._subgroup_size(variant.block)
        if sized is not None:
            chain(stage, sized)
            if variant.block[0] % sized.requiredSubgroupSize == 0:
                stage.flags = STAGE_FULL_SUBGROUPS
        info.stage = stage
        made = ctypes.c_uint64()
        try:
            context.call(
                "CreateComputePipelines",
                self._cache.handle,
                1,
                ctypes.byref(info),
                None,
                ctypes.byref(made),
            )
        except DeviceError as error:
            error.add_note(
                f"while kernel {self._manifest.name} was made for blocks of {variant.block} threads"
            )
            raise
        return made.value

    def _subgroup_size(self, block: Dim3) -> Any:
        """The structure that asks for the subgroup size that the code is made for, or None."""
        manifest = self._manifest
        capabilities = self._context.physical.profile.capabilities
        if not manifest.uses_subgroups or "subgroup_size_control" not in capabilities:
            return None
        return S.PipelineShaderStageRequiredSubgroupSizeCreateInfo(
            requiredSubgroupSize=manifest.subgroup_size
        )
