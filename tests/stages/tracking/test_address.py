"""An address shows its secrets nowhere, and MLflow's server gets them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipelines import serve_ui, track_init
from pipelines.tracking import store
from pipelines.tracking.health import trouble
from structnets.foreign.address import Address

SECRET = "s3cr3t"
FORMS = (
    "http://me:s3cr3t@HOST",
    "http://me:s3cr3t@HOST/",
    "HTTP://me:s3cr3t@HOST",
    "http://me:s3cr3t/with@HOST",
    "http://me:s3cr3t#with@HOST",
    "http://me:s3cr3t?with@HOST",
    "http://me:s3cr3t[with@HOST",
    "http://me:s3cr3t@with@HOST",
    "http://me:s3cr3t%2Fwith@HOST",
    "http://me:s3cr3t:with@HOST",
    "http://s3cr3t@HOST",
    "http://s3cr3t:@HOST",
    "http://HOST?password=s3cr3t",
    "http://HOST/?user=me&password=s3cr3t#s3cr3t",
    "http://me:s3cr3t@HOST/a?token=s3cr3t",
)
HOSTS = ("127.0.0.1", "127.0.0.1:9", "nowhere.invalid")
TWICE = ("http://a:s3cr3t@b/s3cr3t@HOST", "http://me:12/s3cr3t@HOST", "http://tok/s3cr3t@HOST")


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("form", [*FORMS, *TWICE, "postgresql://me:s3cr3t@HOST/db?password=s3cr3t"])
def test_no_form_of_it_shows_the_secret(form: str, host: str) -> None:
    address = Address(form.replace("HOST", host))
    shown = [str(address), repr(address), f"{address}", f"{address!r}", f"{[address]}"]
    words = f"failed: {address.given} and {address.password or address.token}"
    shown += [address.without_secrets(words), store.reason(OSError(words), address)]
    assert not [text for text in shown if SECRET in text]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_secret_is_shown(form: str) -> None:
    assert "nowhere:5000" in str(Address(form.replace("HOST", "nowhere:5000")))


@pytest.mark.parametrize("form", TWICE)
def test_an_address_of_two_readings_is_refused(form: str) -> None:
    said = str(trouble(form.replace("HOST", "127.0.0.1:9")))
    assert "can be read in two ways" in said
    assert "MLFLOW_TRACKING_PASSWORD" in said
    assert SECRET not in said


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str | None]]]:
    """Yield the address of a server, and the authorizations it was sent."""
    sent: list[str | None] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", sent
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("part", ["s3cr3t", "a/b", "a#b", "a?b", "a[b", "a%2Fb", "a@b", "a:b"])
def test_the_health_check_and_the_client_send_the_password(
    part: str, asked: tuple[str, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, sent = asked
    uri = f"http://me:{part}@{host}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for name in ("USERNAME", "PASSWORD", "TOKEN"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")  # so that it is restored afterwards
    assert trouble(uri) is None
    store.connect(uri).search_experiments()
    expected = base64.b64encode(f"me:{part.replace('%2F', '/')}".encode()).decode()
    assert sent == [f"Basic {expected}"] * 2
    assert store.resolve_uri(None, ".").given == f"http://{host}"


def test_a_token_is_sent_as_one(asked: tuple[str, list[str | None]]) -> None:
    host, sent = asked
    assert trouble(f"http://s3cr3t@{host}") is None
    assert sent == ["Bearer s3cr3t"]


@pytest.mark.parametrize("form", [*FORMS, *TWICE])
def test_neither_files_nor_output_hold_it(
    form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USERNAME", "PASSWORD", "TOKEN"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", form.replace("HOST", "127.0.0.1:9"))
    marker = tmp_path / "tracking.json"
    assert track_init.main(["--results", str(tmp_path), "--out", str(marker)]) == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", form.replace("HOST", "127.0.0.1:9"))
    assert serve_ui.main(["--results", str(tmp_path)]) == 0
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err + marker.read_text()
