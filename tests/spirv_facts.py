"""Writes dialects/spirv/facts.py: the SPIR-V grammar of the Khronos headers as two tables.

    python tests/spirv_facts.py /usr/include/spirv/unified1 > dialects/spirv/facts.py

The headers are Debian's package spirv-headers. What they are too old for is added in
`dialects/spirv/grammar.py`.
"""

# pyright: basic

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HEAD = '''"""Facts of the SPIR-V specification, written by tests/spirv_facts.py; read by grammar.py.

A line of `INSTRUCTIONS` is name, opcode, kinds of operands; one of `ENUMERANTS`, below `kind
category`, is name, value, kinds of parameters; both go on with capabilities (one is enough),
extensions, first version, last version. `-` is none; a version `x` is "by extension only".
One of `GLSL` is name, number and count of operands of an instruction of GLSL.std.450.
"""

# ruff: noqa: E501
'''


def words(items: list[str]) -> str:
    return ",".join(items) or "-"


def requirements(row: dict[str, Any]) -> str:
    version = row.get("version", "-")
    return " ".join(
        (
            words(row.get("capabilities", [])),
            words(row.get("extensions", [])),
            "x" if version == "None" else version,
            row.get("lastVersion", "-"),
        )
    )


def operands(row: dict[str, Any], key: str) -> str:
    return words([one["kind"] + one.get("quantifier", "") for one in row.get(key, [])])


def instruction(row: dict[str, Any]) -> str:
    name = row["opname"].removeprefix("Op")
    return f"{name} {row['opcode']} {operands(row, 'operands')} {requirements(row)}"


def enumerant(row: dict[str, Any]) -> str:
    value = row["value"]
    number = int(value, 16) if isinstance(value, str) else value
    return f" {row['enumerant']} {number} {operands(row, 'parameters')} {requirements(row)}"


def generate(folder: Path) -> str:
    """The text of facts.py from the grammars in a folder."""
    core = json.loads((folder / "spirv.core.grammar.json").read_text())
    glsl = json.loads((folder / "extinst.glsl.std.450.grammar.json").read_text())
    lines = [HEAD, 'INSTRUCTIONS = """']
    lines += map(instruction, core["instructions"])
    lines += ['"""', "", 'ENUMERANTS = """']
    for kind in core["operand_kinds"]:
        if kind["category"] in ("BitEnum", "ValueEnum"):
            lines.append(f"{kind['kind']} {kind['category']}")
            lines += map(enumerant, kind["enumerants"])
    lines += ['"""', "", 'GLSL = """']
    lines += (f"{i['opname']} {i['opcode']} {len(i['operands'])}" for i in glsl["instructions"])
    return "\n".join([*lines, '"""', ""])


if __name__ == "__main__":
    sys.stdout.write(generate(Path(sys.argv[1])))
