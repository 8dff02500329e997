"""Agreement with the results that the original benchmark published."""

import numpy as np
import pytest

from structnets.metrics.boundary import Settings, evaluate_boundaries

# Thresholds (rows): recall, precision, F; and of one image: recall, precision, F at its best.
COLUMNS = ("recall", "precision", "f")


@pytest.fixture(scope="module")
def bsds(data_root):
    folder = data_root / "bsds500"
    if not folder.is_dir():
        pytest.skip(f"{folder} absent")
    return folder


@pytest.mark.parametrize(("name", "predictions"), [("test_1", "ucm2"), ("test_2", "png")])
def test_bench_data(bsds, name, predictions):
    data = bsds / "bench" / "data"
    report = evaluate_boundaries(data / predictions, data / "groundTruth", Settings(thresholds=5))
    curve = [[point["threshold"], *(point[c] for c in COLUMNS)] for point in report["curve"]]
    assert np.allclose(curve, np.loadtxt(data / name / "eval_bdry_thr.txt"), rtol=0, atol=1e-3)
    images = [[image[c] for c in COLUMNS] for image in report["images"]]
    published = np.loadtxt(data / name / "eval_bdry_img.txt")[:, 2:]
    assert np.allclose(images, published, rtol=0, atol=2e-3)
    ods, ois = report["ods"], report["ois"]
    found = [ods["threshold"], *(ods[c] for c in COLUMNS), *(ois[c] for c in COLUMNS)]
    summary = np.loadtxt(data / name / "eval_bdry.txt")
    assert np.allclose([*found, report["ap"]], summary, rtol=0, atol=1e-3)


@pytest.mark.slow
def test_published_scores_of_a_detector(bsds):
    original = bsds / "BSDS500"
    report = evaluate_boundaries(
        original / "ucm2" / "test", original / "data" / "groundTruth" / "test", subset=True
    )
    published = np.loadtxt(original / "ucm2" / "test_eval" / "eval_bdry_img.txt")
    order = (original / "ucm2" / "test_eval" / "image_order.txt").read_text().split()
    rows = [order.index(image["id"]) for image in report["images"]]
    found = [image["f"] for image in report["images"]]
    assert len(found) == 12
    assert np.allclose(found, published[rows, 4], rtol=0, atol=2e-3)
