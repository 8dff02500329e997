"""All models with their parameter counts, beside those that the thesis prints."""

from __future__ import annotations

from typing import Any

from structnets.models.entries.arguments import MODELS
from structnets.models.registry import create_model


def describe_models() -> list[dict[str, Any]]:
    """Build every model and list its computed counts beside the thesis' printed ones.

    Returns
    -------
    list of dict
        ``name, chapter, params, collapsed_params, thesis_params, note``; params are trained
        weights without batch-norm statistics, None for a model that needs a package which is not
        installed; the note says which.
    """
    import torch

    from structnets.models.counting import collapsed_parameters, trained_parameters

    rows = []
    for name in MODELS.names():
        entry = MODELS.find(name)
        params = collapsed = missing = None
        try:
            with torch.device("meta"):  # counts need no weights
                model = create_model(name)
            params, collapsed = trained_parameters(model), collapsed_parameters(model)
        except ModuleNotFoundError as error:
            missing = f"needs {error.name}, which is not installed"
        rows.append(
            {
                "name": name,
                "chapter": entry.chapter,
                "params": params,
                "collapsed_params": collapsed,
                "thesis_params": entry.thesis_params,
                "note": "; ".join(filter(None, (missing, entry.note))),
            }
        )
    return rows
