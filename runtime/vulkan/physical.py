"""The Vulkan devices that the drivers offer: their properties, and which come first."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from ..errors import DeviceError
from .api import S, chain, listed, version
from .capabilities import CORE, feature_structures, language_features, matrix_words, offer, profile
from .instance import Instance, device_override
from .profile import CAPABILITIES, Profile
from .table import DEVICE_TYPES, QUEUE_COMPUTE, QUEUE_GRAPHICS, SHADER_STAGE_COMPUTE, SOFTWARE

# VK_DRIVER_ID_MESA_LLVMPIPE ends all loops of a thread after 65535 rounds, and converts to f16
# towards zero, whatever rounding it declares and is asked for (both seen with Mesa 22.3).
LLVMPIPE = 13
# VK_DRIVER_ID_GOOGLE_SWIFTSHADER dies of an address that is cast to that of a vector.
SWIFTSHADER = 10
# Both divide and take roots by the processor's instructions, which IEEE 754 has rounded.
EXACT_DIVISION = (LLVMPIPE, SWIFTSHADER)
PORTABILITY_SUBSET = "VK_KHR_portability_subset"
SPIRV_1_4 = ("VK_KHR_spirv_1_4", "VK_KHR_shader_float_controls")
COOPERATIVE_MATRIX = "VK_KHR_cooperative_matrix"
HOST_IMPORT = "VK_EXT_external_memory_host"


class Physical:
    """A VkPhysicalDevice: name, kind, limits, profile, memory, and what to turn on when it is made.

    `unfit` says why it cannot be used, or is empty.
    """

    def __init__(self, instance: Instance, handle: int):
        self.instance = instance
        self.handle = handle
        self.functions = instance.functions
        self.available = frozenset(
            row.extensionName.decode()
            for row in listed(
                lambda *rest: self.functions.EnumerateDeviceExtensionProperties(
                    self.handle, None, *rest
                ),
                S.ExtensionProperties,
            )
        )
        plain = S.PhysicalDeviceProperties()
        self.functions.GetPhysicalDeviceProperties(handle, ctypes.byref(plain))
        self.version = min(version(plain.apiVersion), version(instance.version))
        self.name: str = plain.deviceName.decode(errors="replace")
        self.type: int = plain.deviceType
        self.unfit = ""
        if self.version < (1, 1):
            self.unfit = f"{self.name} is of Vulkan {plain.apiVersion >> 22}.0, needed is 1.1"
            return
        self._ask_properties()
        self._ask_features()
        self._ask_memory()
        self._choose_queue_family()

    @property
    def is_software(self) -> bool:
        """Whether the device is the CPU in disguise."""
        return self.type == SOFTWARE

    @property
    def shares_memory(self) -> bool:
        """Whether the device's memory is the host's."""
        return DEVICE_TYPES.get(self.type) in ("integrated GPU", "CPU")

    @property
    def subgroup_range(self) -> range:
        """The subgroup sizes that a kernel may ask for."""
        if "subgroup_size_control" in self.profile.capabilities:
            sizes = self.subgroup_sizes
            return range(sizes.minSubgroupSize, sizes.maxSubgroupSize + 1)
        return range(self.profile.subgroup_size, self.profile.subgroup_size + 1)

    @property
    def description(self) -> str:
        """Name, kind and version."""
        major, minor = self.version
        return f"{self.name}, {DEVICE_TYPES.get(self.type, 'other')}, Vulkan {major}.{minor}"

    @property
    def uuid(self) -> str:
        """The device's UUID as 32 hexadecimal digits."""
        return bytes(self.ids.deviceUUID).hex()

    def _ask_properties(self) -> None:
        self.ids = S.PhysicalDeviceIDProperties()
        self.subgroup = S.PhysicalDeviceSubgroupProperties()
        self.sizes = S.PhysicalDeviceMaintenance3Properties()
        self.floats = self._known("PhysicalDeviceFloatControlsProperties", (1, 2), SPIRV_1_4[1])
        self.subgroup_sizes = self._known(
            "PhysicalDeviceSubgroupSizeControlProperties", (1, 3), "VK_EXT_subgroup_size_control"
        )
        self.driver = self._known(
            "PhysicalDeviceDriverProperties", (1, 2), "VK_KHR_driver_properties"
        )
        self.host_import = self._known(
            "PhysicalDeviceExternalMemoryHostPropertiesEXT", (9, 9), HOST_IMPORT
        )
        self.matrices = self._known(
            "PhysicalDeviceCooperativeMatrixPropertiesKHR", (9, 9), COOPERATIVE_MATRIX
        )
        optional = (
            *(self.floats, self.subgroup_sizes, self.driver),
            *(self.host_import, self.matrices),
        )
        asked = S.PhysicalDeviceProperties2()
        there = (one for one in optional if one is not None)
        chain(asked, self.ids, self.subgroup, self.sizes, *there)
        self.functions.GetPhysicalDeviceProperties2(self.handle, ctypes.byref(asked))
        self.properties = asked.properties
        self.limits = asked.properties.limits

    def _known(self, name: str, core: tuple[int, int], extension: str) -> Any:
        known = self.version >= core or extension in self.available
        return getattr(S, name)() if known else None

    def _ask_features(self) -> None:
        found = feature_structures(self.version, self.available)
        asked = chain(found[CORE], *(one for name, one in found.items() if name != CORE))
        self.functions.GetPhysicalDeviceFeatures2(self.handle, ctypes.byref(asked))
        without = set(_without())
        if self._is_from(LLVMPIPE):
            without.add("float16")
        sizes = self.subgroup_sizes
        if sizes is None or not sizes.requiredSubgroupSizeStages & SHADER_STAGE_COMPUTE:
            without.add("subgroup_size_control")
        units = self._matrix_units()
        if not units:
            without.add("cooperative_matrix")
        self.offer = offer(found, self.version, without)
        self.profile: Profile = profile(
            self.version, self.available, self.offer.names, self.subgroup, self.floats, without
        )
        more = {"short_loops", "strong_atomics"} if self._is_from(LLVMPIPE) else {"fences"}
        if "bda" in self.offer.names and not self._is_from(SWIFTSHADER):
            more |= {"vector_access"} - without
        if any(map(self._is_from, EXACT_DIVISION)):
            more |= {"exact_division"} - without
        if "cooperative_matrix" in self.offer.names:
            more |= units
        capabilities = self.profile.capabilities | more
        self.profile = self.profile._replace(capabilities=capabilities)
        self.features = language_features(self.profile.capabilities)
        if "timeline" not in self.offer.names:
            self.unfit = f"{self.name} has no timeline semaphores: its driver is too old"

    def _matrix_units(self) -> frozenset[str]:
        """The products of matrices that subgroups have instructions for in compute shaders."""
        found = self.matrices
        if found is None or not found.cooperativeMatrixSupportedStages & SHADER_STAGE_COMPUTE:
            return frozenset()
        # A loader may be too old to pass the question on.
        ask = getattr(self.functions, "GetPhysicalDeviceCooperativeMatrixPropertiesKHR", None)
        if ask is None:
            return frozenset()
        rows = listed(lambda *rest: ask(self.handle, *rest), S.CooperativeMatrixPropertiesKHR)
        return matrix_words(rows)

    @property
    def extensions(self) -> list[str]:
        """The extensions to turn on."""
        wanted = set(self.offer.extensions) | {PORTABILITY_SUBSET, HOST_IMPORT} & self.available
        if self.version < (1, 2) and self.profile.spirv >= (1, 4):
            wanted.update(SPIRV_1_4)
        elif self.version < (1, 2) and self.floats is not None:
            wanted.add(SPIRV_1_4[1])
        return sorted(wanted)

    def _is_from(self, driver: int) -> bool:
        return self.driver is not None and self.driver.driverID == driver

    def _ask_memory(self) -> None:
        memory = S.PhysicalDeviceMemoryProperties()
        self.functions.GetPhysicalDeviceMemoryProperties(self.handle, ctypes.byref(memory))
        types = list(memory.memoryTypes)[: memory.memoryTypeCount]
        self.memory_types: list[tuple[int, int]] = [
            (row.propertyFlags, row.heapIndex) for row in types
        ]
        self.heaps: list[int] = [row.size for row in memory.memoryHeaps]

    def _choose_queue_family(self) -> None:
        """Queues that do compute and nothing for pictures, where there are such."""
        rows = listed(
            lambda *rest: self.functions.GetPhysicalDeviceQueueFamilyProperties(self.handle, *rest),
            S.QueueFamilyProperties,
        )
        usable = [i for i, row in enumerate(rows) if row.queueFlags & QUEUE_COMPUTE]
        if not usable:
            self.unfit = f"{self.name} has no queue for compute"
            return
        self.family = min(usable, key=lambda i: (bool(rows[i].queueFlags & QUEUE_GRAPHICS), i))
        self.queue_count: int = rows[self.family].queueCount
        self.timestamp_bits: int = rows[self.family].timestampValidBits


def physical_devices(instance: Instance) -> tuple[list[Physical], list[str]]:
    """The usable devices, the best first, and why others are not."""
    every = [Physical(instance, handle) for handle in instance.physical_devices()]
    reasons = [one.unfit for one in every if one.unfit]
    usable = [one for one in every if not one.unfit]
    wanted = device_override()
    chosen = [one for one in usable if _is_meant(one, wanted)]
    if usable and not chosen:
        names = ", ".join(f"{one.name} ({one.uuid})" for one in usable)
        reasons.append(f"STEPWELL_VULKAN_DEVICE={wanted} is none of: {names}")
    order = list(DEVICE_TYPES)
    known = [one for one in chosen if one.type in order]
    return sorted(known, key=lambda one: order.index(one.type)), reasons


def _without() -> list[str]:
    """STEPWELL_VULKAN_WITHOUT: capabilities not to be used, separated by commas."""
    names = [name.strip() for name in os.environ.get("STEPWELL_VULKAN_WITHOUT", "").split(",")]
    unknown = [name for name in names if name and name not in CAPABILITIES]
    if unknown:
        raise DeviceError(
            f"STEPWELL_VULKAN_WITHOUT names {', '.join(unknown)}; capabilities are: "
            f"{', '.join(sorted(CAPABILITIES))}"
        )
    return names


def _is_meant(one: Physical, wanted: str) -> bool:
    digits = wanted.replace("-", "").lower()
    return wanted.lower() in one.name.lower() or digits == one.uuid
