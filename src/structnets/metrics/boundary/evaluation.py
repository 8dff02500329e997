"""The boundary benchmark over folders of files: parallel over images, resumable."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.originals.boundary_truth import read_truth
from structnets.files import read_json, sha256_file, write_json
from structnets.identity import digest
from structnets.metrics.boundary.counting import COLUMNS, Settings, count_matches, threshold_values
from structnets.metrics.boundary.inputs import Pair, find_pairs, read_prediction
from structnets.metrics.boundary.report_files import write_report
from structnets.metrics.boundary.scores import summarize

logger = logging.getLogger(__name__)
# Raised when equal inputs and settings would give other counts than before.
_METHOD = 1
_SHOWN = 5  # faulty images an error lists


def evaluate_boundaries(
    predictions: str | os.PathLike[str],
    ground_truth: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    subset: bool = False,
    truth_threshold: float | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Compare predicted boundaries with ground truth, as the BSDS benchmark does.

    Parameters
    ----------
    predictions : path
        Folder of ``<name>.png``, ``.npy`` or ``.mat`` with boundary strengths, or one file.
    ground_truth : path
        Folder of BSDS ``<name>.mat``, of ``<name>.png`` or of folders ``<name>`` with one PNG per
        annotator, or one file.
    settings : Settings, optional
        By default the benchmark's: 99 thresholds, thinning, distances up to .0075 diagonals.
    out : path, optional
        Folder for ``boundary.json``, ``images.csv``, ``precision_recall.csv``, and the counts of
        each image, which a later call reuses where files and settings are the same.
    subset : bool
        Evaluate only the images that have a prediction.
    truth_threshold : float, optional
        Makes grey PNG ground truth binary: part of the largest grey value, in (0, 1].
    workers : int
        Processes. With more than one, a script must guard its main code by
        ``if __name__ == "__main__"``, since each process imports it.
    progress : callable, optional
        Called with the number of images done and of all, at the start and after each image.

    Returns
    -------
    dict
        As `structnets.metrics.boundary.summarize` returns it, with ``settings`` added.

    Raises
    ------
    FileNotFoundError
        If predictions or ground truth are missing; the names are listed.
    ValueError
        If files are damaged, of other sizes, types or ranges; each is named with its fault. The
        counts of the other images are kept in `out`. Also if there are predictions, and none has
        a value that any threshold finds, as when a mask is saved as 0 and 1 in bytes.
    OSError
        If writing fails or a process is killed.
    """
    settings = settings or Settings()
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if truth_threshold is not None and not 0 < truth_threshold <= 1:
        raise ValueError(f"truth_threshold must lie in (0, 1], got {truth_threshold}")
    pairs = find_pairs(Path(predictions), Path(ground_truth), subset=subset)
    folder = None if out is None else Path(out) / "images"
    work = functools.partial(
        _evaluate_pair, settings=settings, truth_threshold=truth_threshold, folder=folder
    )
    counts = _collect(pairs, work, min(workers, len(pairs)), progress or (lambda done, of: None))
    _refuse_unseen(pairs, counts, settings)
    report = summarize([pair.name for pair in pairs], counts, threshold_values(settings.thresholds))
    report["settings"] = {**settings.record(), "truth_threshold": truth_threshold, "subset": subset}
    if out is not None:
        write_report(report, counts, Path(out))
    return report


def _evaluate_pair(
    pair: Pair, *, settings: Settings, truth_threshold: float | None, folder: Path | None
) -> np.ndarray | str:
    """Return the counts of one image, new or kept, or its fault in words."""
    try:
        file = None if folder is None else folder / f"{pair.name}.json"
        content = {
            "method": _METHOD,
            "settings": {**settings.record(), "truth_threshold": truth_threshold},
            "inputs": [sha256_file(path) for path in pair.files],
        }
        key = digest(content)
        if file is not None and (kept := _kept_counts(file, key, settings)) is not None:
            return kept
        truths = read_truth(pair.truths, truth_threshold)
        counts = count_matches(_read_sized(pair, truths), truths, settings)
        if file is not None:
            record = {"image": pair.name, "columns": COLUMNS, "counts": counts.tolist()}
            write_json(file, {**content, **record, "key": key})
        return counts
    except ValueError as error:
        return str(error)


def _read_sized(pair: Pair, truths: Sequence[np.ndarray]) -> np.ndarray:
    prediction = read_prediction(pair.prediction)
    if prediction.shape != truths[0].shape:
        # Matching would say so too, without the files' names.
        raise ValueError(
            f"{pair.prediction} has {prediction.shape} pixels, {pair.truths[0]} has "
            f"{truths[0].shape}; save the prediction at the size of the image"
        )
    return prediction


def _kept_counts(file: Path, key: str, settings: Settings) -> np.ndarray | None:
    """Read counts of an earlier call; damaged or outdated ones are as good as none."""
    try:
        record = read_json(file)
        counts = np.array(record["counts"], dtype=np.int64)
        fits = record["key"] == key and counts.shape == (settings.thresholds, len(COLUMNS))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return counts if fits else None


def _collect(
    pairs: Sequence[Pair],
    work: Callable[[Pair], np.ndarray | str],
    workers: int,
    progress: Callable[[int, int], None],
) -> np.ndarray:
    """Evaluate all pairs, (N, T, 4), or raise an error that names those that cannot be."""
    results: dict[str, np.ndarray] = {}
    faults: list[str] = []
    progress(0, len(pairs))
    for pair, result in _results(pairs, work, workers):
        if isinstance(result, str):
            faults.append(result)
        else:
            results[pair.name] = result
        progress(len(results) + len(faults), len(pairs))
    if faults:
        shown = "; ".join(sorted(faults)[:_SHOWN])
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise ValueError(f"{len(faults)} of {len(pairs)} images cannot be evaluated: {shown}{more}")
    return np.stack([results[pair.name] for pair in pairs])


def _refuse_unseen(pairs: Sequence[Pair], counts: np.ndarray, settings: Settings) -> None:
    """Refuse predictions that are all below the lowest threshold; name those of them if some are.

    Raises
    ------
    ValueError
        If no prediction that is not all zero has a pixel at any threshold.
    """
    lowest = float(threshold_values(settings.thresholds)[0])
    most = counts[:, :, COLUMNS.index("predicted")].max(axis=1)
    silent = [pair for pair, pixels in zip(pairs, most, strict=True) if not pixels]
    largest = {pair: float(read_prediction(pair.prediction).max()) for pair in silent}
    unseen = [pair for pair in silent if 0 < largest[pair] < lowest]
    if not unseen:
        return
    shown = ", ".join(f"{pair.prediction} ({largest[pair]:.4g})" for pair in unseen[:_SHOWN])
    what = (
        f"{len(unseen)} of {len(pairs)} predictions have no value of at least the lowest "
        f"threshold, {lowest:.4g}, though they are not empty; the largest of each: {shown}"
    )
    if most.any():
        logger.warning("%s", what)
        return
    raise ValueError(
        f"{what}. Values are divided by the largest that their type can hold: save a mask of 0 and "
        "1 as 0 and 255, as bool or as float, and strengths of 8 bits as uint8"
    )


def _results(
    pairs: Sequence[Pair], work: Callable[[Pair], np.ndarray | str], workers: int
) -> Iterator[tuple[Pair, np.ndarray | str]]:
    if workers == 1:
        yield from ((pair, work(pair)) for pair in pairs)
        return
    # Forking a process that may run threads of torch is not safe.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {pool.submit(work, pair): pair for pair in pairs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise OSError(
                "a process was killed, perhaps for lack of memory; use fewer workers"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
