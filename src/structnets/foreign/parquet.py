"""Parquet of unknown origin, for readers that `structnets.foreign.apart` calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from structnets.foreign.shown import shortened


def parse_rows(content: bytes, columns: Callable[[Any], Sequence[str]]) -> list[dict[str, Any]]:
    """Parse a file, in a process that may die of it: a small one can unpack to anything.

    Parameters
    ----------
    content : bytes
        Of the file.
    columns : callable
        Given the Arrow schema, returns those that are read, as ``a`` or, within a struct, ``a.b``.

    Raises
    ------
    ValueError
        If it is no parquet file, or damaged.
    MemoryError
        If Arrow gets no memory for it.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(pa.BufferReader(content)) as table:
            wanted = list(columns(table.schema_arrow))
            groups = table.iter_batches(batch_size=4096, columns=wanted)
            return [row for group in groups for row in group.to_pylist()]
    except pa.ArrowMemoryError as error:
        raise MemoryError from error
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"cannot be read as a parquet file: {shortened(error)}") from error
