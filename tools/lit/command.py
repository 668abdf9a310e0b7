"""`stepwell lit [PATH…]`: LLVM-lit tests, all in this process."""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from pathlib import Path

from .features import available
from .runner import Result, Verdict, discover, run_test


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="default: lit")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="name every test, with reasons"
    )
    parser.add_argument("--filter", metavar="REGEX", help="only tests whose path matches")


def run(args: argparse.Namespace) -> int:
    """Run the tests; the exit status is 1 if one failed or none was found."""
    paths: list[Path] = args.paths or [Path("lit")]
    wanted = re.compile(args.filter or "")
    files = [path for path in discover(paths) if wanted.search(path.as_posix())]
    if not files:
        print("stepwell lit: no tests found")
        return 1
    features = available()
    start = time.perf_counter()
    counts: Counter[Verdict] = Counter()
    for number, path in enumerate(files, 1):
        result = run_test(path, features)
        counts[result.verdict] += 1
        _show(result, f"({number} of {len(files)})", args.verbose)
    print(f"\nTesting Time: {time.perf_counter() - start:.2f}s")
    for verdict, count in counts.items():
        print(f"  {verdict.value:<12}: {count}")
    return int(any(verdict.bad for verdict in counts))


def _show(result: Result, place: str, verbose: bool) -> None:
    verdict = result.verdict
    if verdict.bad:
        print(f"{verdict.value}: {result.path} {place}\n{result.log}", flush=True)
    elif verbose:
        reason = f": {result.log.strip()}" if verdict is Verdict.UNSUPPORTED else ""
        print(f"{verdict.value}: {result.path} {place} {result.seconds * 1e3:.0f} ms{reason}")
