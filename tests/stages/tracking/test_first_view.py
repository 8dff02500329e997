"""The app of MLflow's pages: one script in the index page, and nothing else changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import mlflow
import pytest

from pipelines import serve_ui
from pipelines.tracking import pages

INDEX = b"<!doctype html><html><head><title>MLflow</title></head></html>"
Header = tuple[bytes, bytes]


def answered(
    body: Sequence[bytes] = (INDEX,),
    *,
    kind: str = "http",
    method: str = "GET",
    path: str = "/",
    status: int = 200,
    headers: Sequence[Header] = (),
    asked: Sequence[Header] = (),
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what an app behind the pages' one is asked, and what is sent for its answer."""
    seen: dict[str, Any] = {}
    sent: list[dict[str, Any]] = []

    async def behind(scope: Any, _receive: Any, send: Any) -> None:
        seen.update(scope)
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for number, part in enumerate(body):
            more = number + 1 < len(body)
            await send({"type": "http.response.body", "body": part, "more_body": more})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {"type": kind, "method": method, "path": path, "headers": list(asked)}
    asyncio.run(pages.TrainingsFirst(behind)(scope, receive, send))
    return seen, sent


def test_index_page_gets_the_script_first_and_its_true_length() -> None:
    length = (b"content-length", str(len(INDEX)).encode())
    _, (start, body) = answered(
        (INDEX[:20], INDEX[20:]), headers=[(b"content-type", b"text/html"), length]
    )
    assert body["body"] == INDEX.replace(b"<head>", b"<head>" + pages.SCRIPT)
    assert start["headers"] == [
        (b"content-type", b"text/html"),
        (b"content-length", str(len(INDEX) + len(pages.SCRIPT)).encode()),
    ]


def test_page_kept_from_another_server_is_not_taken_for_this_one() -> None:
    kept = [(b"if-none-match", b'"1"'), (b"If-Modified-Since", b"today"), (b"host", b"127.0.0.1")]
    seen, (start, _) = answered(asked=kept, headers=[(b"ETag", b'"1"'), (b"Last-Modified", b"x")])
    assert seen["headers"] == [(b"host", b"127.0.0.1")]
    assert [name for name, _ in start["headers"]] == [b"content-length"]


@pytest.mark.parametrize(
    "request_",
    [
        {"path": "/static-files/main.js"},
        {"path": "/ajax-api/2.0/mlflow/artifacts"},
        {"method": "HEAD"},
        {"method": "POST"},
        {"kind": "websocket"},
    ],
)
def test_everything_else_passes_untouched(request_: dict[str, Any]) -> None:
    headers = [(b"etag", b'"1"'), (b"content-length", b"62")]
    asked = [(b"if-none-match", b'"1"')]
    seen, sent = answered((INDEX[:9], INDEX[9:]), headers=headers, asked=asked, **request_)
    assert seen["headers"] == asked
    assert sent == [
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": INDEX[:9], "more_body": True},
        {"type": "http.response.body", "body": INDEX[9:], "more_body": False},
    ]


def test_page_that_says_something_failed_stays() -> None:
    _, (start, body) = answered(status=500)
    assert start["status"] == 500
    assert body["body"] == INDEX


def test_the_installed_pages_still_read_what_the_script_writes() -> None:
    (main,) = (Path(mlflow.__file__).parent / "server/js/build/static/js").glob("main.*.js")
    code = main.read_text()
    written = re.findall(r"\['([\w.]+)_v1','([^']*)'\]", pages.SCRIPT.decode())
    assert len(written) == 2
    for key, _ in written:
        assert re.search(rf'key:"{re.escape(key)}",version:1,', code), key
    assert 'MACHINE_LEARNING="machine_learning"' in code


def test_server_finds_the_plugin() -> None:
    folders = serve_ui.server_environment()["PYTHONPATH"].split(":")
    found = [
        entry.value
        for one in distributions(path=folders[:1])
        for entry in one.entry_points.select(group="mlflow.app", name=pages.NAME)
    ]
    assert found == ["pipelines.tracking.pages:create_app"]
    assert Path(folders[1], "pipelines/tracking/pages.py").is_file()
