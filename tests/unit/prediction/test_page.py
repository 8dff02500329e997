"""What docs/own_pictures.md shows in Python answers as it says."""

import re
import shutil
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "own_pictures.md"


def test_the_page_s_code_answers_for_a_picture(study, tmp_path, monkeypatch):
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    shutil.copy(
        next((study.root / "pictures" / "across").glob("*.jpg")), tmp_path / "new_picture.jpg"
    )
    shutil.copytree(study.run, tmp_path / "results" / "runs" / "RUN_ID")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(block, names)
    assert names["logits"].shape == (1, 2)
