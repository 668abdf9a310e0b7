"""Kernels in GLSL for the tests of the Vulkan runtime, as the ABI wants them, made by glslang.

A kernel is written once in terms of macros: `BUFFER(number, type, name)` declares a buffer, `P.…`
are the words of the parameter block. The "bda" form takes buffers by address, the "bindings" form
by descriptor.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stepwell.runtime.artifact import Artifact, Manifest, Parameter, Site

GLSLANG = shutil.which("glslangValidator")

_HEAD = {
    "bda": """#version 460
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
""",
    "bindings": "#version 460\n",
}
_CONSTANTS = """
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const bool folded = false;
layout(constant_id = 4) const uint dynamic_bytes = 0;
"""
_BLOCK_IDS = """
uvec3 real_group() {
  if (!folded) return gl_WorkGroupID;
  uint linear = gl_WorkGroupID.x
    + gl_NumWorkGroups.x * (gl_WorkGroupID.y + gl_NumWorkGroups.y * gl_WorkGroupID.z);
  uint x = P.grid_xy.x, y = P.grid_xy.y;
  return uvec3(linear % x, linear / x % y, linear / x / y);
}
bool past_the_end() { return real_group().z >= P.grid_z.x; }
uint linear_id() {
  uvec3 group = real_group();
  uvec3 threads = uvec3(P.grid_xy, P.grid_z.x) * gl_WorkGroupSize;
  uvec3 at = group * gl_WorkGroupSize + gl_LocalInvocationID;
  return at.x + threads.x * (at.y + threads.y * at.z);
}
"""
_REPORT = """
void print_(uint site, uint value0, uint value1) {
  uint kept = REPORT[1] / 4u, at = atomicAdd(REPORT[2], 11u);
  if (at + 11u > REPORT[1] - kept) return;
  uvec3 group = real_group();
  uint words[11] = uint[](site + 1u, group.x, group.y, group.z, gl_LocalInvocationID.x,
    gl_LocalInvocationID.y, gl_LocalInvocationID.z, value0, 0u, value1, 0u);
  for (uint i = 0u; i < 11u; ++i) REPORT[4u + kept + at + i] = words[i];
}
void report(uint site, uint value0, uint value1) {
  uint at = atomicAdd(REPORT[0], 11u);
  if (at + 11u > REPORT[1]) return;
  uvec3 group = real_group();
  uint words[11] = uint[](site + 1u, group.x, group.y, group.z, gl_LocalInvocationID.x,
    gl_LocalInvocationID.y, gl_LocalInvocationID.z, value0, 0u, value1, 0u);
  for (uint i = 0u; i < 11u; ++i) REPORT[4u + at + i] = words[i];
}
"""


def source(
    abi: str, buffers: list[str], words: list[str], body: str, report: bool, in_memory: bool
) -> str:
    """GLSL of a kernel; `buffers` are element types, `words` fields after the buffers' slots."""
    fields: list[str] = []
    lines: list[str] = []
    for i, element in enumerate(buffers):
        if abi == "bda":
            lines.append(
                f"layout(buffer_reference, std430, buffer_reference_align = 4) buffer B{i} "
                f"{{ {element} data[]; }};"
            )
            fields += [f"uvec2 at{i};", f"uvec2 size{i};"]
            lines.append(f"#define BUFFER{i}(i) B{i}(P.at{i}).data[i]")
        else:
            lines.append(f"layout(set = 0, binding = {i}) buffer B{i} {{ {element} d{i}[]; }};")
            fields += [f"uvec2 at{i};", f"uvec2 size{i};"]
            lines.append(f"#define BUFFER{i}(i) d{i}[P.at{i}.x + (i)]")
    fields += [f"uvec2 {word};" for word in words] + ["uvec2 grid_xy;", "uvec2 grid_z;"]
    binding = len(buffers)
    if report and abi == "bda":
        lines.append("layout(buffer_reference, std430) buffer R { uint data[]; };")
        fields.append("uvec2 report_at;")
        lines.append("#define REPORT R(P.report_at).data")
    elif report:
        lines.append(f"layout(set = 0, binding = {binding}) buffer R {{ uint report_words[]; }};")
        lines.append("#define REPORT report_words")
        binding += 1
    lines.append(_parameter_block(abi, binding, "\n  ".join(fields), in_memory))
    parts = [_HEAD[abi], _CONSTANTS, *lines, _BLOCK_IDS, _REPORT if report else ""]
    return "\n".join([*parts, f"void main() {{ if (past_the_end()) return;\n{body}\n}}"])


def _parameter_block(abi: str, binding: int, fields: str, in_memory: bool) -> str:
    if not in_memory:
        return f"layout(push_constant, std430) uniform Block {{\n  {fields}\n}} P;"
    if abi == "bindings":
        return (
            f"layout(set = 0, binding = {binding}, std430) readonly buffer Block "
            f"{{\n  {fields}\n}} P;"
        )
    return (
        f"layout(buffer_reference, std430) readonly buffer Block {{\n  {fields}\n}};\n"
        "layout(push_constant) uniform Push { uvec2 block_at; } push;\n"
        "#define P Block(push.block_at)"
    )


@cache
def compiled(text: str, environment: str) -> bytes:
    """SPIR-V of a compute shader for a version of Vulkan, such as "vulkan1.3"."""
    if GLSLANG is None:
        pytest.skip("needs glslangValidator (glslang-tools)")
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "kernel.comp", Path(folder) / "kernel.spv"
        path.write_text(text, encoding="utf-8")
        command = [GLSLANG, "--target-env", environment, "-V", str(path), "-o", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + text
        return out.read_bytes()


def artifact(
    abi: str,
    body: str,
    *,
    buffers: tuple[tuple[str, bool], ...] = (("uint", True),),
    words: tuple[str, ...] = (),
    sites: tuple[Site, ...] = (),
    in_memory: bool = False,
    declarations: str = "",
    environment: str = "vulkan1.3",
    **fields: Any,
) -> Artifact:
    """A kernel whose parameters are buffers (GLSL element type, written?) and u32 scalars."""
    types = [element for element, _ in buffers]
    text = source(abi, types, list(words), body, bool(sites), in_memory)
    text = text.replace("void main()", f"{declarations}\nvoid main()")
    dtypes = {"uint": "u32", "float": "f32", "int": "i32"}
    rows = [
        Parameter(f"b{i}", "buffer", dtypes[element], 1, (None,), None, writes)
        for i, (element, writes) in enumerate(buffers)
    ]
    rows += [Parameter(word, "scalar", "u32") for word in words]
    placed = tuple(
        row._replace(source=row.source._replace(argument=i)) for i, row in enumerate(rows)
    )
    manifest = Manifest(
        "k",
        "vulkan",
        "main",
        placed,
        abi=abi,
        block_in_memory=in_memory,
        has_report=bool(sites),
        sites=sites,
    )
    return Artifact(manifest._replace(**fields), compiled(text, environment))
