"""The stage that prepares the built-in digits."""

from pipelines.prepare_digits import main
from structnets.data import load_manifest, load_split


def test_digits(tmp_path):
    out = tmp_path / "digits"
    assert main(["--out", str(out), "--data-json", '{"name": "digits", "prepare": {}}']) == 0
    manifest = load_manifest(out)
    assert manifest["dataset"] == "digits"
    assert manifest["source"]["package"] == "scikit-learn"
    assert len(load_split(out, "train")[0]) == 1437
    before = (out / "manifest.json").stat().st_mtime_ns
    assert main(["--out", str(out)]) == 0
    assert (out / "manifest.json").stat().st_mtime_ns == before


def test_a_user_s_fault_is_one_line(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare_digits: ")
    assert "notes.txt" in line
