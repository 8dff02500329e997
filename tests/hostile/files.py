"""Makers of hostile and damaged files, by reader: each writes one file and returns its path.

No such file is committed: each is made when a test asks for it, most within a few milliseconds.
"""

from __future__ import annotations

from tests.hostile.archives import GZIPS, IDXS, PICKLES, TARS
from tests.hostile.documents import JSONS, SPECS, YAMLS
from tests.hostile.making import Maker
from tests.hostile.pictures import JPEGS, PNGS
from tests.hostile.tables import MATRICES, MATS, NPYS, PARQUETS, SCANS
from tests.hostile.trained import ADDRESSES, CLAIMS, LEDGERS, MARKERS, RESULTS, WEIGHTS

FILES: dict[str, dict[str, Maker]] = {
    "pickle": PICKLES,
    "tar": TARS,
    "gz": GZIPS,
    "idx": IDXS,
    "png": PNGS,
    "jpeg": JPEGS,
    "npy": NPYS,
    "mat": MATS,
    "parquet": PARQUETS,
    "nifti": SCANS,
    "flirt": MATRICES,
    "yaml": YAMLS,
    "json": JSONS,
    "spec": SPECS,
    "weights": WEIGHTS,
    "result": RESULTS,
    "ledger": LEDGERS,
    "lock": CLAIMS,
    "marker": MARKERS,
    "address": ADDRESSES,
}
