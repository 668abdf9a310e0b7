"""For all tests: a cache folder of their own, and ptxas as a reader of all PTX that they make."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest
from oracles import ptxas


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Neither read nor fill the cache of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def every_ptx_is_read() -> Generator[None]:
    """By ptxas, where it is installed."""
    with pytest.MonkeyPatch.context() as patch:
        ptxas.watch(patch)
        yield


@pytest.fixture(scope="module", autouse=True)
def own_garbage() -> None:
    """The collector looks at what the tests of one file have made, and at nothing older.

    What was there before (pytest's list of all tests, the compiler, what thousands of tests have
    left) lives to the end: it was an eighth of all time to find that out again and again.
    """
    gc.collect()
    gc.freeze()
