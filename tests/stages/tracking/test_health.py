"""The look at MLflow's server before a workflow starts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipelines.tracking.health import trouble


@pytest.fixture
def server() -> Iterator[Callable[[int, str], str]]:
    """Return a starter of servers that always give one answer; their requests are remembered."""
    running: list[HTTPServer] = []

    def start(code: int, text: str) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                allowed = self.headers.get("Authorization") == "Basic bWU6c2VjcmV0"
                self.send_response(200 if allowed else code)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        running.append(HTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running[-1].server_port}"

    yield start
    for one in running:
        one.shutdown()
        one.server_close()


def test_answer_is_no_trouble(server: Callable[[int, str], str]) -> None:
    assert trouble(server(200, "{}")) is None


def test_store_that_is_no_server_is_no_trouble() -> None:
    assert trouble("sqlite:////nowhere/mlflow.db") is None


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        (403, "Invalid Host header - possible DNS rebinding attack", "--allowed-hosts"),
        (401, "You are not authenticated", "set MLFLOW_TRACKING_USERNAME and _PASSWORD"),
        (500, "no database", "HTTP 500: no database"),
    ],
)
def test_refusal_is_told_with_its_remedy(
    server: Callable[[int, str], str], code: int, text: str, said: str
) -> None:
    assert said in str(trouble(server(code, text)))


def test_absence_is_told_without_a_password() -> None:
    said = str(trouble("http://me:secret@127.0.0.1:9", timeout=1))
    assert said.startswith("MLflow at http://me:***@127.0.0.1:9: ")
    assert "secret" not in said


def test_password_is_sent(
    server: Callable[[int, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    assert trouble(server(401, "")) is None
