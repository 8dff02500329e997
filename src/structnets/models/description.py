"""All models with their parameter counts, beside those that the thesis prints."""

from __future__ import annotations

from typing import Any

from structnets.models.registry import MODELS, create_model


def describe_models() -> list[dict[str, Any]]:
    """Build every model and list its computed counts beside the thesis' printed ones.

    Returns
    -------
    list of dict
        ``name, chapter, params, collapsed_params, thesis_params, note``; params are trained
        weights without batch-norm statistics.
    """
    import torch

    from structnets.models.counting import collapsed_parameters, trained_parameters

    rows = []
    for name in MODELS.names():
        entry = MODELS.find(name)
        with torch.device("meta"):  # counts need no weights
            model = create_model(name)
        rows.append(
            {
                "name": name,
                "chapter": entry.chapter,
                "params": trained_parameters(model),
                "collapsed_params": collapsed_parameters(model),
                "thesis_params": entry.thesis_params,
                "note": entry.note,
            }
        )
    return rows
