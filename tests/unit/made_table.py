"""A small table of two rows and two columns, and its experiment."""

from typing import Any

EXPERIMENT: dict[str, Any] = {
    "chapter": 3,
    "model": {"name": "cnn_b"},
    "data": {"name": "mnist"},
    "recipe": {"optimizer": {"name": "adam"}, "epochs": 7, "batch_size": 25},
    "presets": {"smoke": {"data": {"name": "digits", "train_size": 50}}, "small": {}, "paper": {}},
}
TABLE: dict[str, Any] = {
    "target": "table0",
    "kind": "figure",
    "chapter": 3,
    "title": "A <small> table",
    "caption": "What it shows.",
    "unit": "%",
    "row_label": "Model",
    "column_label": "Images",
    "rows": [
        {"key": "net", "label": "Net", "experiment": "net.yaml"},
        {"key": "quoted", "label": "Quoted", "reported": {"n100": 80.0}, "source": "a book"},
    ],
    "columns": [
        {
            "key": "n100",
            "label": "100",
            "x": 100,
            "overrides": {"data": {"train_size": 100}},
            "recipe": {"gradient": {"epochs": 9}},
        },
        {"key": "n200", "label": "200", "x": 200, "overrides": {"data": {"train_size": 200}}},
    ],
    "thesis": {"net": {"n100": 91.0, "n200": {"value": 95.0, "note": "hidden"}}},
    "floor": {
        "smoke": [{"rows": ["net"], "columns": ["n100"], "seeds": [0]}],
        "small": [
            {"rows": ["net"], "columns": ["n100"], "seeds": [0, 1]},
            {"rows": "all", "columns": ["n200"], "seeds": [0]},
        ],
    },
    "plot": {
        "kind": "accuracy_curve",
        "x_label": "n",
        "y_label": "accuracy (%)",
        "thesis_rows": ["net"],
    },
}
