"""What a Vulkan device can do: one table of capabilities, each with the feature bits behind it.

A feature structure may be asked for where the device's version has it in the core or where its
extension is there. What is found and used is enabled when the device is made: a capability is in
the profile exactly if its bits are on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .api import S
from .profile import MATRIX_WORD, Profile
from .table import COMPONENT_TYPES, SCOPE_SUBGROUP, SHADER_STAGE_COMPUTE, SUBGROUP_OPERATIONS

Version = tuple[int, int]


class Feature(NamedTuple):
    """A feature structure: the version of Vulkan that has it, the extension that brought it."""

    core: Version
    extension: str


NEVER = (9, 9)
CORE = "PhysicalDeviceFeatures"
FEATURES: dict[str, Feature] = {
    CORE: Feature((1, 0), ""),
    "PhysicalDevice16BitStorageFeatures": Feature((1, 1), ""),
    "PhysicalDevice8BitStorageFeatures": Feature((1, 2), "VK_KHR_8bit_storage"),
    "PhysicalDeviceBufferDeviceAddressFeatures": Feature((1, 2), "VK_KHR_buffer_device_address"),
    "PhysicalDeviceShaderFloat16Int8Features": Feature((1, 2), "VK_KHR_shader_float16_int8"),
    "PhysicalDeviceShaderAtomicInt64Features": Feature((1, 2), "VK_KHR_shader_atomic_int64"),
    "PhysicalDeviceShaderAtomicFloatFeaturesEXT": Feature(NEVER, "VK_EXT_shader_atomic_float"),
    "PhysicalDeviceVulkanMemoryModelFeatures": Feature((1, 2), "VK_KHR_vulkan_memory_model"),
    "PhysicalDeviceShaderSubgroupExtendedTypesFeatures": Feature(
        (1, 2), "VK_KHR_shader_subgroup_extended_types"
    ),
    "PhysicalDeviceSubgroupSizeControlFeatures": Feature((1, 3), "VK_EXT_subgroup_size_control"),
    "PhysicalDeviceTimelineSemaphoreFeatures": Feature((1, 2), "VK_KHR_timeline_semaphore"),
    "PhysicalDeviceMaintenance4Features": Feature((1, 3), "VK_KHR_maintenance4"),
    "PhysicalDeviceCooperativeMatrixFeaturesKHR": Feature(NEVER, "VK_KHR_cooperative_matrix"),
}

_ATOMIC_INT64, _ATOMIC_FLOAT = (
    "PhysicalDeviceShaderAtomicInt64Features",
    "PhysicalDeviceShaderAtomicFloatFeaturesEXT",
)
_FLOAT16_INT8 = "PhysicalDeviceShaderFloat16Int8Features"
# Each capability with the bits that it needs, all of one structure.
BITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "bda": ("PhysicalDeviceBufferDeviceAddressFeatures", ("bufferDeviceAddress",)),
    "int8": (_FLOAT16_INT8, ("shaderInt8",)),
    "int16": (CORE, ("shaderInt16",)),
    "int64": (CORE, ("shaderInt64",)),
    "float16": (_FLOAT16_INT8, ("shaderFloat16",)),
    "float64": (CORE, ("shaderFloat64",)),
    "storage8": ("PhysicalDevice8BitStorageFeatures", ("storageBuffer8BitAccess",)),
    "storage16": ("PhysicalDevice16BitStorageFeatures", ("storageBuffer16BitAccess",)),
    "int64_atomics": (_ATOMIC_INT64, ("shaderBufferInt64Atomics",)),
    "shared_int64_atomics": (_ATOMIC_INT64, ("shaderSharedInt64Atomics",)),
    "float32_atomic_add": (_ATOMIC_FLOAT, ("shaderBufferFloat32AtomicAdd",)),
    "shared_float32_atomic_add": (_ATOMIC_FLOAT, ("shaderSharedFloat32AtomicAdd",)),
    "float64_atomic_add": (_ATOMIC_FLOAT, ("shaderBufferFloat64AtomicAdd",)),
    "shared_float64_atomic_add": (_ATOMIC_FLOAT, ("shaderSharedFloat64AtomicAdd",)),
    "memory_model": (
        "PhysicalDeviceVulkanMemoryModelFeatures",
        ("vulkanMemoryModel", "vulkanMemoryModelDeviceScope"),
    ),
    "subgroup_extended_types": (
        "PhysicalDeviceShaderSubgroupExtendedTypesFeatures",
        ("shaderSubgroupExtendedTypes",),
    ),
    "subgroup_size_control": (
        "PhysicalDeviceSubgroupSizeControlFeatures",
        ("subgroupSizeControl", "computeFullSubgroups"),
    ),
    "cooperative_matrix": ("PhysicalDeviceCooperativeMatrixFeaturesKHR", ("cooperativeMatrix",)),
    # Not for code but for the runtime: these are no capabilities of the profile.
    "timeline": ("PhysicalDeviceTimelineSemaphoreFeatures", ("timelineSemaphore",)),
    "maintenance4": ("PhysicalDeviceMaintenance4Features", ("maintenance4",)),
}
OURS = ("timeline", "maintenance4")
SPIRV_VERSIONS = {(1, 1): (1, 3), (1, 2): (1, 5), (1, 3): (1, 6)}
_FLOAT_CONTROLS = {
    "denorm_preserve": "shaderDenormPreserveFloat",
    "rte": "shaderRoundingModeRTEFloat",
    "signed_zero": "shaderSignedZeroInfNanPreserveFloat",
}


class Offer(NamedTuple):
    """What is used of a device: capabilities and ours, and what turns them on at its making."""

    names: frozenset[str]
    extensions: tuple[str, ...]
    enable: tuple[Any, ...]


def feature_structures(version: Version, extensions: frozenset[str]) -> dict[str, Any]:
    """The feature structures that a device of this version with these extensions knows, empty."""
    return {
        name: getattr(S, name)() if name != CORE else S.PhysicalDeviceFeatures2()
        for name, row in FEATURES.items()
        if version >= row.core or row.extension in extensions
    }


def offer(found: dict[str, Any], version: Version, without: set[str]) -> Offer:
    """What to use, from feature structures that the device has filled; nothing of `without`."""
    names: set[str] = set()
    enable = {name: type(structure)() for name, structure in found.items()}
    for name, (structure, bits) in BITS.items():
        if name in without or structure not in found:
            continue
        if all(getattr(_bits(found[structure]), bit) for bit in bits):
            names.add(name)
            for bit in bits:
                setattr(_bits(enable[structure]), bit, 1)
    used = {BITS[name][0] for name in names} | {CORE}
    extensions = tuple(
        row.extension for key, row in FEATURES.items() if key in used and version < row.core
    )
    return Offer(
        frozenset(names), extensions, tuple(enable[key] for key in FEATURES if key in used)
    )


def profile(
    version: Version,
    extensions: frozenset[str],
    names: frozenset[str],
    subgroup: Any,
    floats: Any,
    without: set[str],
) -> Profile:
    """The profile of a device; `subgroup` and `floats` are its property structures."""
    capabilities = set(names.difference(OURS))
    for name, field in _FLOAT_CONTROLS.items():
        if floats is not None:
            capabilities.update(
                f"{name}{width}" for width in (16, 32, 64) if getattr(floats, f"{field}{width}")
            )
    if subgroup.supportedStages & SHADER_STAGE_COMPUTE:
        capabilities.update(
            f"subgroup_{name}"
            for name, bit in SUBGROUP_OPERATIONS.items()
            if subgroup.supportedOperations & bit
        )
    spirv = SPIRV_VERSIONS[version]
    if spirv < (1, 4) and "VK_KHR_spirv_1_4" in extensions:
        spirv = (1, 4)
    return Profile(spirv, subgroup.subgroupSize, frozenset(capabilities - without))


def matrix_words(rows: Iterable[Any]) -> frozenset[str]:
    """The words of a profile for a device's VkCooperativeMatrixPropertiesKHR.

    Only what subgroups do with one type of factors and one of sums, which wrap; and only for the
    types that words have.
    """
    words = (
        f"matrix_{row.MSize}x{row.NSize}x{row.KSize}"
        f"_{COMPONENT_TYPES.get(row.AType)}_{COMPONENT_TYPES.get(row.CType)}"
        for row in rows
        if row.scope == SCOPE_SUBGROUP
        and row.AType == row.BType
        and row.CType == row.ResultType
        and not row.saturatingAccumulation
    )
    return frozenset(word for word in words if MATRIX_WORD.fullmatch(word))


def language_features(capabilities: frozenset[str]) -> frozenset[str]:
    """The capabilities as features of a `Device`: what kernels may use."""
    needs: dict[str, set[str]] = {
        # Where the device lacks one of these, the compiler puts it together of words.
        **{name: set() for name in ("i8", "i16", "i32", "i64", "f16", "bf16", "f32")},
        "f64": {"float64", "int64"},
        "atomics_i64": {"int64", "int64_atomics"},
        "atomics_float": set(),
        "subgroups": set(),  # through shared memory where the device has none
        "dynamic_shared": set(),
        "reports": set(),
        "launch_sizes": set(),  # many compute both sides of a branch, so that a check is not free
        "subnormals": {"denorm_preserve32"},
    }
    found = {name for name, wanted in needs.items() if wanted <= capabilities}
    if "short_loops" not in capabilities:
        found.add("long_loops")
    return frozenset(found)


def _bits(structure: Any) -> Any:
    """Where the bits of a feature structure are."""
    return getattr(structure, "features", structure)
