"""All models with their parameter counts, beside those that the thesis prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from structnets.models.entries.arguments import MODELS
from structnets.models.registry import create_model


def describe_models(names: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Build models and list their computed counts beside the thesis' printed ones.

    Parameters
    ----------
    names : sequence of str, optional
        Of the models; by default every one.

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
    for name in MODELS.names() if names is None else names:
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
