"""A kit: runs trained within a time, packed, and gone on with."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from structnets.data.prepared.manifest import verify_files
from structnets.files import read_json, write_json
from structnets.identity import prepared_name, run_id
from structnets.training import kit_archives
from structnets.training.kit import Lent, make_ready, train_kit
from structnets.training.kit_archives import pack, unpack
from structnets.training.run_files import is_published

MakeSpec = Callable[..., dict[str, Any]]


@pytest.fixture
def make_kit(tmp_path: Path, prepared: Path) -> Callable[..., Path]:
    """Return a maker of kits, whose data come packed."""

    def make(*specs: dict[str, Any], name: str = "kit") -> Path:
        root = tmp_path / name
        folder = prepared_name(specs[0]["data"])
        (root / "packed").mkdir(parents=True)
        with tarfile.open(root / "packed" / f"{folder}.tar.gz", "w:gz") as archive:
            archive.add(prepared, folder)
        for spec in specs:
            write_json(root / "specs" / f"{run_id(spec)}.json", spec)
        write_json(root / "kit.json", {"runs": [run_id(spec) for spec in specs]})
        return root

    return make


def member(archives: Path, name: str, content: bytes = b"x", **changes: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    archives.mkdir(exist_ok=True)
    with tarfile.open(archives / "kit-1.tar", "w") as archive:
        archive.addfile(info, io.BytesIO(content))


def test_what_time_allows_is_finished_and_the_rest_goes_on_elsewhere(
    make_kit: Callable[..., Path], make_spec: MakeSpec, run: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    short, long = make_spec(), make_spec(seed=1, epochs=100_000)
    root = make_kit(short, long)
    lent = Lent(3600.0, processes=2)
    beyond_start = lambda: (root / "work" / "runs" / run_id(short) / "result.json").is_file()  # noqa: E731
    monkeypatch.setattr(Lent, "left", property(lambda _: 0.0 if beyond_start() else 3600.0))
    reached = train_kit(root, tmp_path / "back", lent)
    assert (reached["finished"], reached["begun"]) == ([run_id(short)], [run_id(long)])
    assert reached["waiting"] == reached["failed"] == []

    again = make_kit(short, long, name="another")
    assert unpack(tmp_path / "back", again / "work") == sorted([run_id(short), run_id(long)])
    result = read_json(again / "work" / "runs" / run_id(short) / "result.json")
    assert result["weights_digest"] == run(short)["weights_digest"]
    kept = again / "work" / "runs" / run_id(long) / "work" / "checkpoints"
    assert len(list(kept.glob("step-*.pt"))) == 1


def test_a_run_stopped_before_its_first_checkpoint_waits(
    make_kit: Callable[..., Path], make_spec: MakeSpec, tmp_path: Path, monkeypatch: Any
) -> None:
    specs = [make_spec(seed=seed, epochs=100_000) for seed in (1, 2)]
    left = iter([3600.0, 3600.0])  # for the loop's first look, and for a last line
    monkeypatch.setattr(Lent, "left", property(lambda _: next(left, 0.0)))
    monkeypatch.setattr("structnets.training.kit._WAIT", 0.0)
    reached = train_kit(make_kit(*specs), tmp_path / "back", Lent(3600.0))
    names = [run_id(spec) for spec in specs]
    assert reached == {"finished": [], "begun": [], "waiting": names, "failed": []}


def test_a_finished_kit_has_nothing_to_do(
    make_kit: Callable[..., Path], make_spec: MakeSpec, folder_of: Any, run: Any, tmp_path: Path
) -> None:
    spec = make_spec()
    run(spec)
    root = make_kit(spec)
    shutil.copytree(folder_of(spec) / "out", root / "work" / "runs" / run_id(spec))
    reached = train_kit(root, tmp_path / "back", Lent(60.0))
    assert reached == {"finished": [run_id(spec)], "begun": [], "waiting": [], "failed": []}


def test_a_failure_is_told_and_stops_nothing(
    make_kit: Callable[..., Path], make_spec: MakeSpec, tmp_path: Path, caplog: Any
) -> None:
    spec = make_spec(size=4)  # fewer images than a batch
    reached = train_kit(make_kit(spec), tmp_path / "back", Lent(60.0))
    assert reached["failed"] == [run_id(spec)]
    assert "its last words: ValueError: batch_size 5 is larger than the 4" in caplog.text


def test_data_are_made_ready_once(make_kit: Callable[..., Path], make_spec: MakeSpec) -> None:
    root, data = make_kit(make_spec()), make_spec()["data"]
    folder = make_ready(root, data)
    shutil.rmtree(root / "packed")
    assert make_ready(root, data) == folder


def test_data_whose_unpacking_was_killed_are_unpacked_again(
    make_kit: Callable[..., Path], make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, data = make_kit(make_spec()), make_spec()["data"]

    def killed(archive: tarfile.TarFile, path: Path, **options: Any) -> None:
        archive.extract(archive.getmembers()[0], path, **options)
        (next(Path(path).iterdir()) / "manifest.json").write_text("{}")
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(tarfile.TarFile, "extractall", killed)
        with pytest.raises(KeyboardInterrupt):
            make_ready(root, data)
    folder = make_ready(root, data)
    assert not verify_files(folder)
    assert [path.name for path in folder.parent.glob(".*.part")] == []


def test_published_data_are_prepared_over_there(tmp_path: Path) -> None:
    """In a process of its own, which a lock that waits for itself cannot hold up."""
    code = (
        "import sys; from pathlib import Path; from structnets.training.kit import make_ready; "
        "print(make_ready(Path(sys.argv[1]), {'name': 'digits', 'prepare': {}}))"
    )
    call = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=True)
    assert Path(done.stdout.strip()) == tmp_path / "prepared" / "digits"
    assert (tmp_path / "prepared" / "digits" / "manifest.json").is_file()


def test_archives_keep_their_bounds_and_prefer_finished_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_archives, "MOST_BYTES", 10_000)
    monkeypatch.setattr(kit_archives, "MOST_FILES", 2)
    runs = tmp_path / "work" / "runs"
    for name, size in (("a", 4000), ("b", 8000)):
        write_json(runs / name / "result.json", "x" * size)
    for name, size in (("c", 100), ("d", 5000)):
        checkpoints = runs / name / "work" / "checkpoints"
        checkpoints.mkdir(parents=True)
        (checkpoints / "step-000000001.pt").write_bytes(b"x" * 50_000)
        (checkpoints / "step-000000002.pt").write_bytes(b"x" * size)
    assert pack(tmp_path / "work", tmp_path / "back") == ["d"]
    assert sorted(path.name for path in (tmp_path / "back").iterdir()) == ["kit-1.tar", "kit-2.tar"]
    assert unpack(tmp_path / "back", tmp_path / "there") == ["a", "b", "c"]
    assert unpack(tmp_path / "back", tmp_path / "results", finished_only=True) == ["a", "b"]
    newest = tmp_path / "there" / "runs" / "c" / "work" / "checkpoints" / "step-000000002.pt"
    assert newest.read_bytes() == b"x" * 100


def test_a_run_half_unpacked_is_not_published(
    make_spec: MakeSpec, folder_of: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec()
    run(spec)
    runs = tmp_path / "work" / "runs"
    shutil.copytree(folder_of(spec) / "out", runs / run_id(spec))
    pack(tmp_path / "work", tmp_path / "back")

    def killed(source: Any, target: Any) -> None:
        target.write(source.read(10))
        if source.read():
            raise KeyboardInterrupt

    taken = tmp_path / "there" / "runs" / run_id(spec)
    with monkeypatch.context() as context:
        context.setattr(shutil, "copyfileobj", killed)
        with pytest.raises(KeyboardInterrupt):
            unpack(tmp_path / "back", tmp_path / "there")
    assert not is_published(taken, spec)
    assert list(taken.iterdir()) == []
    unpack(tmp_path / "back", tmp_path / "there")
    assert is_published(taken, spec)


def test_the_result_is_unpacked_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("result.json", "model.pt", "spec.json"):
        write_json(tmp_path / "work" / "runs" / "a" / name, {})
    pack(tmp_path / "work", tmp_path / "back")
    order = []
    monkeypatch.setattr(
        kit_archives, "_take", lambda archive, member, path: order.append(path.name)
    )
    unpack(tmp_path / "back", tmp_path / "there")
    assert sorted(order[:-1]) == ["model.pt", "spec.json"]
    assert order[-1] == "result.json"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("../escaped/result.json", {}),
        ("runs/../../result.json", {}),
        ("runs/a/other.py", {}),
        ("runs/a/result.json", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
    ],
)
def test_what_no_kit_writes_is_refused(tmp_path: Path, name: str, changes: dict[str, Any]) -> None:
    member(tmp_path / "back", name, **changes)
    with pytest.raises(ValueError, match="which is no file of a run"):
        unpack(tmp_path / "back", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    whole = tmp_path / "back" / "kit-1.tar"
    member(whole.parent, "runs/a/result.json")
    content = bytearray(whole.read_bytes())
    content[124:136] = (-1024).to_bytes(12, "big", signed=True)  # its size: back to its header
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content[:512]):06o}\0 ".encode()
    for damaged in (bytes(content), b"x" * 1024):
        whole.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"kit-1\.tar is damaged or no tar archive"):
            unpack(whole.parent, tmp_path / "there")


def test_an_empty_folder_is_no_kit(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no kit-1\.tar"):
        unpack(tmp_path, tmp_path / "there")
