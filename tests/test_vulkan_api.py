"""The facts about Vulkan that we state, held against Khronos' registry."""

from __future__ import annotations

import ctypes
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stepwell.runtime.vulkan import table
from stepwell.runtime.vulkan.api import S, function_rows, structure_rows

REGISTRY = Path("/usr/share/vulkan/registry/vk.xml")
SCALARS = {
    **{"uint32_t": "u", "uint64_t": "U", "int32_t": "i", "int64_t": "I", "float": "f"},
    **{"size_t": "z", "VkBool32": "u", "VkDeviceSize": "U", "VkDeviceAddress": "U"},
    **{"uint8_t": "b", "char": "c", "VkResult": "r", "void": "v"},
}
DISPATCHABLE = {"VkInstance", "VkPhysicalDevice", "VkDevice", "VkQueue", "VkCommandBuffer"}


@cache
def registry() -> ElementTree.Element:
    if not REGISTRY.exists():
        pytest.skip(f"needs {REGISTRY} (libvulkan-dev)")
    return ElementTree.parse(REGISTRY).getroot()


@cache
def types() -> dict[str, ElementTree.Element]:
    section = registry().find("types")
    assert section is not None
    return {row.get("name") or row.findtext("name") or "": row for row in section}


@cache
def values() -> dict[str, str]:
    """Values of constants and enumerants; those of extensions by their offset."""
    found: dict[str, str] = {}
    for row in registry().iter("enum"):
        name, value, bit = row.get("name"), row.get("value"), row.get("bitpos")
        if name and (value or bit):
            found[name] = value or str(1 << int(bit or 0))
    for owner in (*registry().iter("extension"), *registry().iter("feature")):
        for row in owner.iter("enum"):
            if row.get("offset"):
                number = int(row.get("extnumber") or owner.get("number") or 0)
                value = 1000000000 + (number - 1) * 1000 + int(row.get("offset") or 0)
                sign = "-" if row.get("dir") else ""
                found[row.get("name") or ""] = f"{sign}{value}"
    for row in registry().iter("enum"):
        alias = row.get("alias")
        if alias in found:
            found[row.get("name") or ""] = found[alias]
    return found


def resolved(name: str) -> str:
    while (alias := types()[name].get("alias")) is not None:
        name = alias
    return name


def code(member: ElementTree.Element) -> str:
    """The code of a field or parameter."""
    comment = member.find("comment")
    text = "".join(member.itertext())
    if comment is not None:
        text = text.replace("".join(comment.itertext()), "")
    name, kind = member.findtext("name") or "", resolved(member.findtext("type") or "")
    if "*" in text:
        return "s" if kind == "char" and text.count("*") == 1 else "p"
    base = scalar(kind)
    length = text.split(name, 1)[1].strip() if "[" in text else ""
    if not length:
        return base
    constant = member.findtext("enum")
    return f"{base}*{values()[constant] if constant else length.strip('[]')}"


def scalar(kind: str) -> str:
    if kind in SCALARS:
        return SCALARS[kind]
    category = types()[kind].get("category")
    if category == "handle":
        return "p" if kind in DISPATCHABLE else "U"
    if category in ("struct", "union"):
        return f"={kind[2:]}"
    if category == "funcpointer":
        return "p"
    return "U" if "64" in "".join(types()[kind].itertext()) else "u"


def members(row: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return [one for one in row.findall(tag) if one.get("api") != "vulkansc"]


@pytest.mark.parametrize("name", structure_rows())
def test_structures_are_those_of_the_registry(name: str) -> None:
    row = structure_rows()[name]
    if f"Vk{name}" not in types():
        pytest.skip(f"the registry here is too old to have Vk{name}")
    fields = members(types()[resolved(f"Vk{name}")], "member")
    tags = [one.get("values") for one in fields if one.findtext("name") == "sType"]
    assert row.number == (int(values()[tags[0]]) if tags and tags[0] else None)
    plain = [one for one in fields if one.findtext("name") not in ("sType", "pNext")]
    assert row.fields == tuple((one.findtext("name"), code(one)) for one in plain)


@pytest.mark.parametrize("name", function_rows())
def test_functions_are_those_of_the_registry(name: str) -> None:
    commands: dict[str, Any] = {}
    for one in registry().iterfind("commands/command"):
        commands[one.findtext("proto/name") or one.get("name") or ""] = one
    if name not in commands:
        pytest.skip(f"the registry here is too old to have {name}")
    row = commands[name]
    while row.get("alias"):
        row = commands[row.get("alias")]
    kind = row.findtext("proto/type") or ""
    result = "p" if kind.startswith("PFN") else scalar(kind)
    expected = result + "".join(code(one) for one in members(row, "param"))
    assert function_rows()[name] == expected


CONSTANTS = {
    "TIMEOUT": "VK_TIMEOUT",
    "INCOMPLETE": "VK_INCOMPLETE",
    "DEVICE_LOST": "VK_ERROR_DEVICE_LOST",
    "QUEUE_GRAPHICS": "VK_QUEUE_GRAPHICS_BIT",
    "QUEUE_COMPUTE": "VK_QUEUE_COMPUTE_BIT",
    "MEMORY_DEVICE_LOCAL": "VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT",
    "MEMORY_HOST_VISIBLE": "VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT",
    "MEMORY_HOST_COHERENT": "VK_MEMORY_PROPERTY_HOST_COHERENT_BIT",
    "MEMORY_HOST_CACHED": "VK_MEMORY_PROPERTY_HOST_CACHED_BIT",
    "BUFFER_TRANSFER_SOURCE": "VK_BUFFER_USAGE_TRANSFER_SRC_BIT",
    "BUFFER_TRANSFER_DESTINATION": "VK_BUFFER_USAGE_TRANSFER_DST_BIT",
    "BUFFER_STORAGE": "VK_BUFFER_USAGE_STORAGE_BUFFER_BIT",
    "BUFFER_DEVICE_ADDRESS": "VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT",
    "ALLOCATE_DEVICE_ADDRESS": "VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT",
    "EXTERNAL_HOST_ALLOCATION": "VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT",
    "EXTERNAL_IMPORTABLE": "VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT",
    "INVALID_EXTERNAL_HANDLE": "VK_ERROR_INVALID_EXTERNAL_HANDLE",
    "STAGE_COMPUTE": "VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT",
    "STAGE_TRANSFER": "VK_PIPELINE_STAGE_TRANSFER_BIT",
    "STAGE_HOST": "VK_PIPELINE_STAGE_HOST_BIT",
    "BOTTOM_OF_PIPE": "VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT",
    "ACCESS_SHADER_READ": "VK_ACCESS_SHADER_READ_BIT",
    "ACCESS_SHADER_WRITE": "VK_ACCESS_SHADER_WRITE_BIT",
    "ACCESS_TRANSFER_READ": "VK_ACCESS_TRANSFER_READ_BIT",
    "ACCESS_TRANSFER_WRITE": "VK_ACCESS_TRANSFER_WRITE_BIT",
    "ACCESS_HOST_READ": "VK_ACCESS_HOST_READ_BIT",
    "SHADER_STAGE_COMPUTE": "VK_SHADER_STAGE_COMPUTE_BIT",
    "BIND_POINT_COMPUTE": "VK_PIPELINE_BIND_POINT_COMPUTE",
    "DESCRIPTOR_STORAGE_BUFFER": "VK_DESCRIPTOR_TYPE_STORAGE_BUFFER",
    "DESCRIPTOR_STORAGE_BUFFER_DYNAMIC": "VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC",
    "STAGE_FULL_SUBGROUPS": "VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT",
    "POOL_RESET_BUFFER": "VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT",
    "ONE_TIME_SUBMIT": "VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT",
    "SEMAPHORE_TIMELINE": "VK_SEMAPHORE_TYPE_TIMELINE",
    "QUERY_TIMESTAMP": "VK_QUERY_TYPE_TIMESTAMP",
    "QUERY_64_BITS": "VK_QUERY_RESULT_64_BIT",
    "QUERY_WAIT": "VK_QUERY_RESULT_WAIT_BIT",
    "ENUMERATE_PORTABILITY": "VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR",
    "SEVERITY_WARNING": "VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT",
    "SEVERITY_ERROR": "VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT",
    "MESSAGE_VALIDATION": "VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT",
    "ENABLE_SYNCHRONIZATION_VALIDATION": (
        "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"
    ),
}


def test_constants_are_those_of_the_registry() -> None:
    found = {name: int(values()[theirs], 0) for name, theirs in CONSTANTS.items()}
    assert found == {name: getattr(table, name) for name in CONSTANTS}


@pytest.mark.parametrize(("number", "text"), table.RESULTS.items())
def test_results_are_those_of_the_registry(number: int, text: str) -> None:
    name = "VK_ERROR_" + text.removesuffix(" error").upper().replace(" ", "_")
    same = {key for key, value in values().items() if value == str(number)}
    assert name in same or f"{name}_KHR" in same


def test_structures_have_the_size_that_c_gives_them() -> None:
    # of the specification's own static assertions and of a driver's ABI on 64-bit machines
    sizes = {"PhysicalDeviceLimits": 504, "BufferCreateInfo": 56, "ComputePipelineCreateInfo": 96}
    assert {name: ctypes.sizeof(getattr(S, name)) for name in sizes} == sizes
