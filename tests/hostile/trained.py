"""Hostile weights, results, ledgers, claims, markers and addresses of a store."""

from __future__ import annotations

import io
import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile.archives import Call
from tests.hostile.documents import spec
from tests.hostile.making import NESTED, SPEC, Maker, of_bytes, of_text
from tests.hostile.pictures import flipped


def weights(**content: Any) -> bytes:
    """Content of a ``model.pt``; see `structnets.training.run_files.publish`."""
    import torch

    stream = io.BytesIO()
    given = {"spec": SPEC, "state_dict": {"a": torch.ones(64)}, **content}
    torch.save({key: value for key, value in given.items() if value is not None}, stream)
    return stream.getvalue()


def _one_weight(value: Any) -> Callable[[], bytes]:
    import torch

    return lambda: weights(state_dict={"a": torch.tensor([value])})


def _tensor(make: Callable[[Any], Any]) -> bytes:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch: sparse rows may change
        return weights(state_dict={"a": make(torch.ones(1))})


def _of_8_bits(tensor: Any) -> Any:
    import torch

    return tensor.to(torch.float8_e4m3fn)


def _altered(**content: Any) -> bytes:
    made = weights(**content)
    return flipped(made, made.index(b"\0\0\x80\x3f\0\0\x80\x3f"))


def _zip_bomb() -> bytes:
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(1 << 28))
    return stream.getvalue()


WEIGHTS = {
    "a call": of_bytes("model.pt", lambda: weights(state_dict=Call())),
    "NaN": of_bytes("model.pt", lambda: _one_weight(float("nan"))()),
    "complex": of_bytes("model.pt", lambda: _one_weight(1j)()),
    "a flipped bit": of_bytes("model.pt", _altered),
    "another digest": of_bytes("model.pt", lambda: weights(weights_digest="0" * 64)),
    "no weights": of_bytes("model.pt", lambda: weights(state_dict=None)),
    "no spec": of_bytes("model.pt", lambda: weights(spec=None)),
    "a pickle": of_bytes("model.pt", lambda: pickle.dumps(Call())),
    "packed zeros": of_bytes("model.pt", _zip_bomb),
    "a shape of 4 TB": of_bytes("model.pt", lambda: _tensor(lambda t: t.expand(10**6, 10**6))),
    "numbers that count, of 8 TB": of_bytes(
        "model.pt", lambda: _tensor(lambda t: t.long().expand(10**6, 10**6))
    ),
    "sparse": of_bytes("model.pt", lambda: _tensor(lambda t: t.to_sparse())),
    "sparse rows": of_bytes("model.pt", lambda: _tensor(lambda t: t[None].to_sparse_csr())),
    "without values": of_bytes("model.pt", lambda: _tensor(lambda t: t.to("meta"))),
    "of 8 bits": of_bytes("model.pt", lambda: _tensor(_of_8_bits)),
    "cut": of_bytes("model.pt", lambda: weights()[:-100]),
    "nothing": of_bytes("model.pt", b""),
}


def result(**changes: Any) -> dict[str, Any]:
    """Content of a ``result.json``."""
    from tests.made_results import make_result

    return {**make_result(json.loads(spec(recipe__kind="gradient"))), **changes}


def _result(**changes: Any) -> Maker:
    def make(folder: Path) -> Path:
        place = folder / str(result()["run_id"])
        place.mkdir()
        return of_text("result.json", json.dumps(result(**changes)))(place)

    return make


_SCRIPT = "<script>document.title='taken'</script>"
RESULTS = {
    "a script as a class of machines": _result(hardware={"class": _SCRIPT}),
    "a script as a run id": _result(run_id=_SCRIPT),
    "a metric that is text": _result(metrics={"accuracy": "90"}),
    "a metric of NaN": _result(metrics={"accuracy": float("nan")}),
    "another spec": _result(spec={**SPEC, "seed": 9}),
    "no spec": _result(spec=None),
    "a spec of lists": _result(spec={"model": [], "data": []}),
    "another digest": _result(spec_digest="0" * 64),
    "another folder": of_bytes("result.json", lambda: json.dumps(result()).encode()),
    "nested lists": of_text("result.json", NESTED),
    "nothing": of_text("result.json", ""),
}


def _ledger(text: str) -> Maker:
    from structnets.reporting.ledger import ledger_line

    return of_bytes(
        "chapter3.jsonl",
        lambda: f"{json.dumps(ledger_line(result()))}\n{text}\n".encode(),
    )


def ledger_line(**changes: Any) -> str:
    from structnets.reporting.ledger import ledger_line

    return json.dumps({**ledger_line(result(seed=1)), **changes})


LEDGERS: dict[str, Maker] = {
    "a line that is cut": _ledger('{"run_id": '),
    "a line of nested lists": _ledger(NESTED),
    "a line of NaN": _ledger("NaN"),
    "a line that is a list": _ledger("[]"),
    "a line of other keys": _ledger('{"run_id": 1}'),
    "a line twice": _ledger(ledger_line()),
    "a line of another run": _ledger(ledger_line(run_id="a-b-full-s0-00000000")),
    "a script as a class of machines": _ledger(ledger_line(hardware={"class": _SCRIPT})),
    "an empty line": _ledger(""),
    "no text": of_bytes("chapter3.jsonl", b"\xff\xfe\n"),
}

# Claims and markers: what cannot be believed is passed over with a word, and nothing is ended.
CLAIM = {"host": "here", "pid": 1, "created": 0.0, "job": None}
CLAIMS = {
    "nested lists": of_text("000001.json", NESTED),
    "a list": of_text("000001.json", "[]"),
    "no process": of_text("000001.json", json.dumps({**CLAIM, "pid": "me"})),
    "a process of number 10^30": of_text("000001.json", json.dumps({**CLAIM, "pid": 10**30})),
    "options as a job": of_text("000001.json", json.dumps({**CLAIM, "job": "--help"})),
    "300 MB": of_bytes("000001.json", lambda: b" " * (300 << 20)),
    "nothing": of_text("000001.json", ""),
}
MARKER = {"pid": 1, "created": 0.0, "address": "1.2.3.4:5", "token": "x"}
MARKERS = {
    "nested lists": of_text("warm.json", NESTED),
    "a list": of_text("warm.json", "[]"),
    "a stranger's process": of_text("warm.json", json.dumps(MARKER)),
    "no process": of_text("warm.json", json.dumps({**MARKER, "pid": [1]})),
    "a negative process": of_text("warm.json", json.dumps({**MARKER, "pid": -1})),
    "no address": of_text("warm.json", json.dumps({**MARKER, "address": 5})),
    "nothing": of_text("warm.json", ""),
}
ADDRESSES = {
    text: of_text("address.txt", text)
    for text in (
        *("http://", "http://[", "http://[::1", "http://a b", "http://host:99999", "http://host:x"),
        *("http://me:secret@", "http://me:secret@[", "http://me:secret@h:1/x@y", "http://\u0130"),
        *("http://127.0.0.1:9", "http://" + "x" * 100_000, "http://127.0.0.1:9/\r\nHost: x"),
    )
}
