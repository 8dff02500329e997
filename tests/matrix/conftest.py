"""What the compiled cells need of the machine: a cache of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_cache_of_compiled_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the compiler keep its files in a folder of this session.

    A process that is killed while it compiles leaves an empty library in the machine's cache, which
    every later one then fails to load ("file too short").
    """
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("inductor")
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(folder))
        patch.setenv("TRITON_CACHE_DIR", str(folder / "triton"))
        yield
