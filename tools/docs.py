"""`stepwell docs`: the pages of docs/, which the installed package has too."""

from __future__ import annotations

import argparse
from importlib.resources import files
from typing import TYPE_CHECKING

from ..dialects.diagnostics import CompileError
from ..registry import near_matches

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    help = "such as language; default: list the pages"
    parser.add_argument("page", nargs="?", metavar="PAGE", help=help)


def run(args: argparse.Namespace) -> int:
    """Print the page, or the names of all with their titles; CompileError for an unknown one."""
    pages = _pages()
    if args.page is None:
        for name, page in pages.items():
            title = page.read_text(encoding="utf-8").partition("\n")[0]
            print(f"{name:<14} {title.removeprefix('# ')}")
        return 0
    name: str = args.page.removesuffix(".md")
    if name not in pages:
        raise CompileError(f"there is no page {name!r}", hint=near_matches(name, list(pages)))
    print(pages[name].read_text(encoding="utf-8"), end="")
    return 0


def _pages() -> dict[str, Traversable]:
    package = __name__.partition(".")[0]
    folder = files(package) / "docs"
    found = sorted(folder.iterdir(), key=lambda page: page.name)
    return {page.name[:-3]: page for page in found if page.name.endswith(".md")}
