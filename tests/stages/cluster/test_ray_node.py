"""Ray on one node of an allocation: what needs no Ray and no Slurm of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cluster import ray_node

# Fails with exit code 7 so many times.
START = 'echo >> "$1"; exit $(( $(wc -l < "$1") > $2 ? 0 : 7 ))'


@pytest.mark.parametrize(("failures", "code"), [(0, None), (2, None), (3, 7)])
def test_start_is_tried_three_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int, code: int | None
) -> None:
    words = ["bash", "-c", START, "bash", str(tmp_path / "tries"), str(failures)]
    cleaned: list[None] = []
    monkeypatch.setattr(ray_node.RayNode, "_start_words", lambda *_: words)
    monkeypatch.setattr(ray_node, "_input_ended", lambda seconds: False)
    monkeypatch.setattr(ray_node, "_raylet_lives", lambda: False)
    monkeypatch.setattr(ray_node, "_kill_children", lambda: cleaned.append(None))
    node = ray_node.RayNode("127.0.0.1:1", head=True, cpus=1, gpus=0, memory=100)
    assert node._run_once("127.0.0.1", str(tmp_path)) == code
    assert len(cleaned) == min(failures, 2)
