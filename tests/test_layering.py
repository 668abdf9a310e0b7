"""Who may import whom, what is imported when, and the links that make the folders a package."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from networkx import DiGraph, strongly_connected_components

from stepwell import registry
from stepwell.dialects import marks

ROOT = Path(__file__).parent.parent

# Each folder with the folders that it may import from.
LAYERS = {
    "dialects": {"dialects"},
    "passes": {"dialects", "passes"},
    # "" is src/stepwell itself; lowering finds passes and dialects by name in the registry there.
    "lowering": {"dialects", "passes", "lowering", "registry"},
    "runtime": {"runtime"},
    "language": {"dialects", "passes", "language"},
    "tools": {"dialects", "passes", "lowering", "runtime", "language", "tools", ""},
}

# Single files that may be imported from elsewhere, each with its reason.
SHARED = {
    ("language", "runtime.artifact"): "kinds of launches, and rows of parameters, are said once",
    ("language", "runtime.dtypes"): "the NumPy dtype of a type's name is said once",
    ("lowering", "runtime.vulkan.profile"): "the words for what a device can do are said once",
}

# What is not ours: who may import it at all. tools may import anything.
LIBRARIES = {
    "xdsl": {"dialects", "passes", "lowering", "language"},
    "llvmlite": {"runtime", "lowering"},
    "networkx": {"lowering", "language", "passes"},
    "numpy": {"runtime", "language", "lowering", "passes"},
    "ml_dtypes": {"runtime", "language"},
    "rich": set[str](),
    "PIL": set[str](),
    "filecheck": set[str](),
}

FILES = [path for folder in LAYERS for path in sorted((ROOT / folder).rglob("*.py"))]
PACKAGE_FILES = [*FILES, *sorted((ROOT / "src/stepwell").glob("*.py"))]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[int, int, str]]:
    """(line, dots, module) of each import, at any depth of the file, type checking included."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, 0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is None:
            yield from ((node.lineno, node.level, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.level, node.module or ""


def violations(path: Path) -> Iterator[str]:
    relative = path.relative_to(ROOT)
    folder = relative.parts[0]
    for line, dots, module in imports(path):
        where, top = f"{relative}:{line}", module.split(".")[0]
        if dots == 0 and module == "stepwell" and relative.name.startswith("demo"):
            continue  # the kernels of the demo are written as a user writes them
        if dots == 0 and (top == "stepwell" or top in LAYERS):
            yield f"{where}: absolute import of {module}; inside the package imports are relative"
        elif dots == 0 and folder not in LIBRARIES.get(top, {folder}) and folder != "tools":
            yield f"{where}: {folder} may not import {top}"
        elif dots >= len(relative.parts):
            # At the package itself: the next part is a folder or a file of src/stepwell.
            target = top if dots == len(relative.parts) else "outside the package"
            allowed = LAYERS[folder]
            if (folder, module) in SHARED:
                continue
            if target not in allowed and (target in LAYERS or "" not in allowed):
                yield f"{where}: {folder} may not import {module or 'stepwell'}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_keep_to_the_layers(path: Path):
    assert list(violations(path)) == []


def run_time_imports(path: Path) -> Iterator[Path]:
    """The files that a file imports when it runs, inside functions too."""
    waiting: list[ast.AST] = [parsed(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1]
            if folder == ROOT:
                folder = ROOT / "src/stepwell"
            target = folder.joinpath(*(node.module or "").split("."))
            for name in node.names:
                inside = (target / name.name).with_suffix(".py")
                found = (inside, target.with_suffix(".py"), target / "__init__.py")
                yield next(file.resolve() for file in found if file.exists())


def test_files_import_each_other_in_one_direction():
    # What needs each other is one file, or takes the other as an argument; a type is no need.
    graph: DiGraph[Path] = DiGraph()
    for path in PACKAGE_FILES:
        graph.add_edges_from((path, other) for other in run_time_imports(path) if other != path)
    circles = [
        sorted(str(file.relative_to(ROOT)) for file in files)
        for files in strongly_connected_components(graph)
        if len(files) > 1
    ]
    assert circles == []


@pytest.mark.parametrize("path", PACKAGE_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_says_what_it_is_for(path: Path):
    assert ast.get_docstring(parsed(path))


def test_marks_are_spelled_in_one_file():
    spelled = {value for name, value in vars(marks).items() if name.isupper()}
    elsewhere = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in PACKAGE_FILES
        if path.name != "marks.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in spelled
    ]
    assert elsewhere == []


def test_files_of_passes_are_passes():
    # What passes share is in analyses/ and utils/, so that the listing says what passes there are.
    files = {path.stem.replace("_", "-") for path in (ROOT / "passes").glob("[a-z]*.py")}
    rows = {name for name, row in registry.PASSES.items() if row.startswith("stepwell.passes.")}
    assert files == rows


@pytest.mark.parametrize("folder", LAYERS)
def test_package_files_hold_a_docstring_only(folder: str):
    body = parsed(ROOT / folder / "__init__.py").body
    assert len(body) == 1, f"{folder}/__init__.py: importing one file must not import others"


@pytest.mark.parametrize("folder", LAYERS)
def test_folders_are_linked_into_the_package(folder: str):
    link = ROOT / "src/stepwell" / folder
    assert link.is_symlink(), (
        f"{link} is not a link, so this checkout has no package: run `git config "
        "core.symlinks true` (on Windows with developer mode on) and "
        "`git checkout -- src/stepwell`"
    )
    assert link.resolve() == ROOT / folder


@pytest.mark.parametrize("folder", ["tests", "lit"])
def test_tests_are_no_packages(folder: str):
    # xDSL's wheel installs a top-level package `tests`, and lit/ would hide LLVM's lit.
    assert list((ROOT / folder).rglob("__init__.py")) == []


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a fresh process after running `code`."""
    script = f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"xdsl", "llvmlite", "networkx", "rich", "PIL", "filecheck", "hypothesis"}


@pytest.mark.parametrize(
    "code",
    [
        "import stepwell",
        "import stepwell.tools.main as m; m.load_command('lit')",
        "import stepwell.registry, stepwell.kernel",
        "import stepwell.dialects.diagnostics",
        "import stepwell.language.types, stepwell.language.intrinsics",
    ],
)
def test_imports_stay_light(code: str):
    assert loaded_by(code) & HEAVY == set()


def test_the_runtime_imports_no_compiler():
    modules = [
        ".".join(("stepwell", *path.relative_to(ROOT).with_suffix("").parts))
        for path in FILES
        if path.is_relative_to(ROOT / "runtime") and path.stem != "__init__"
    ]
    assert loaded_by("import " + ", ".join(modules)) & {"xdsl", "networkx", "rich"} == set()
