"""MLflow's own pages, which begin with the view for trainings.

MLflow 3.17 opens every experiment in the view a browser chose last, and in that for traces of
assistants where it has chosen none; at a browser's first visit an assistant covers a third of the
page, too. Neither a setting of the server nor the kind of an experiment changes that. `make ui`
serves the pages through this app, which MLflow finds as a plugin (``mlflow server --app-name``,
entry point in ``plugin/``).
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

NAME = "structnets"
# What has to be on PYTHONPATH for MLflow to find the plugin, and the plugin this module.
PLUGIN = (Path(__file__).parent / "plugin", Path(__file__).parents[2])

# A choice that somebody made stays; a browser that keeps nothing must still get its page.
SCRIPT = (
    b"<script>try{for(const [key,value] of ["
    b"['mlflow.workflowType_v1','\"machine_learning\"'],"
    b"['mlflow.assistant.fab.autoOpenedOnFirstLoad_v1','true']])"
    b"if(localStorage.getItem(key)===null)localStorage.setItem(key,value)}catch{}</script>"
)
_HEAD = b"<head>"
# A page that a browser keeps from a plain server would be taken for this one.
_OF_CACHES = {b"if-none-match", b"if-modified-since", b"etag", b"last-modified", b"content-length"}


class TrainingsFirst:
    """An ASGI app that adds one script to the index page of another; all else passes untouched."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        page = _Page(send)
        await self.app({**scope, "headers": _without_caches(scope["headers"])}, receive, page.send)


class _Page:
    """The answer to a request for the index page, sent on when it is whole."""

    def __init__(self, send: Send) -> None:
        self._forward = send
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = self._body
        if self._start["status"] == 200:
            body = body.replace(_HEAD, _HEAD + SCRIPT, 1)
        headers = _without_caches(self._start.get("headers", []))
        headers.append((b"content-length", str(len(body)).encode()))
        await self._forward({**self._start, "headers": headers})
        await self._forward({"type": "http.response.body", "body": body})


def _without_caches(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_CACHES]


def create_app() -> App:
    """Return MLflow's app with the view for trainings first."""
    with warnings.catch_warnings(action="ignore"):  # MLflow's own use of what will be removed
        from mlflow.server.fastapi_app import app
    return TrainingsFirst(app)
