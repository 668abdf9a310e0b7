"""How much of upstream MLIR's tests of its SPIR-V dialect goes through ours and back.

    python benchmarks/spirv_upstream_tests.py mlir/test/Dialect/SPIRV/IR mlir/test/Target/SPIRV

The folders are LLVM's (19, as the syntax is). A *split* is what stands between `// -----`; those
that expect an error are left out, and so are those about what is no compute shader (images,
OpenCL, extensions of one vendor): `OUTSIDE` says which words make them so. Of the others, a split
goes through if the text is parsed, verified, printed, and read again as the same; in folders called
Target its modules must also give the same words when their binaries are read and written again.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from stepwell.dialects import spirv
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit.spirv import deserialise, serialise
from stepwell.lowering.parse import parse_module, print_module
from stepwell.lowering.verify import verify

OUTSIDE = {
    "images": r"spirv\.Image|!spirv\.(sampled_)?image|!spirv\.sampler",
    "OpenCL": r"spirv\.CL\.|OpenCL|Kernel|spirv\.Group[A-Z](?!onUniform)|KHR\.Group|Generic",
    "one vendor": r"INTEL|Intel|jointmatrix|NV\.|coop_matrix_props",
    "graphics": r'"(Vertex|Fragment|Geometry|TessellationControl)"',
}


def outside(text: str) -> str | None:
    """Why a split is about no compute shader, or None."""
    return next((name for name, words in OUTSIDE.items() if re.search(words, text)), None)


def reason(text: str, binary: bool) -> str | None:
    """Why a split does not go through, or None."""
    try:
        module = parse_module(text, "<split>")
        verify(module)
        once = print_module(module)
        if print_module(parse_module(once, "<again>")) != once:
            return "its text changes"
        for op in module.walk():
            if binary and isinstance(op, spirv.ModuleOp):
                data = serialise(deserialise(serialise(op)))
                if serialise(deserialise(data)) != data:
                    return "its words change"
    except CompileError as error:
        return str(error.parts[0].message).splitlines()[0]
    return None


def main(folders: list[str]) -> None:
    """Prints what does not go through, and the share that does for each folder."""
    for folder in folders:
        passed, failed, left = 0, 0, dict.fromkeys(OUTSIDE, 0)
        for path in sorted(Path(folder).glob("*.mlir")):
            for split in re.split(r"^// -----.*$", path.read_text(), flags=re.MULTILINE):
                code = re.sub(r"^\s*//.*$", "", split, flags=re.MULTILINE).strip()
                if not code or "expected-error" in split:
                    continue
                if (word := outside(split)) is not None:
                    left[word] += 1
                elif (why := reason(code, "Target" in path.parts)) is not None:
                    failed += 1
                    print(f"{path.name}: {why}")
                else:
                    passed += 1
        total = passed + failed
        share = 100 * passed / total if total else 0
        print(f"{folder}: {passed} of {total} splits ({share:.0f} %); left out: {left}")


if __name__ == "__main__":
    main(sys.argv[1:])
