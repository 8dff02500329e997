"""Downloading from a server on this machine: whole, resumed, broken, lying, forbidden."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from structnets.data.originals.download import DownloadError, check_address, download
from structnets.data.sets.entries.known_file import KnownFile

CONTENT = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """Serves `content`; faults are switched on by its attributes."""

    content = CONTENT
    ranges = True
    cut_after: int | None = None
    redirect: str | None = None
    patience = 0.0

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        if server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
            return
        total, start = len(server.content), 0
        if wanted and server.ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= total:
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        time.sleep(server.patience)
        self.wfile.write(server.content[start:][: server.cut_after])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def known(*mirrors, content=CONTENT):
    checksums = (hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest())
    return KnownFile("data.gz", len(content), *checksums, mirrors)


def test_whole_file_arrives_under_its_name_only(server, tmp_path):
    path = download(known(server.url), tmp_path / "new")
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["data.gz"]


def test_of_two_calls_one_waits_for_the_other(server, tmp_path):
    server.patience = 0.3
    file, found = known(server.url), []
    calls = [threading.Thread(target=lambda: found.append(download(file, tmp_path))) for _ in "12"]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert [path.read_bytes() == CONTENT for path in found] == [True, True]
    assert server.asked == [None]


def test_present_file_is_not_asked_for(server, tmp_path):
    (tmp_path / "data.gz").write_bytes(CONTENT)
    download(known(server.url), tmp_path)
    assert server.asked == []


def test_other_content_under_the_name_is_kept_and_refused(server, tmp_path):
    (tmp_path / "data.gz").write_bytes(b"mine")
    with pytest.raises(ValueError, match="not the published file: 4 bytes"):
        download(known(server.url), tmp_path)
    assert (tmp_path / "data.gz").read_bytes() == b"mine"


def test_resumes_from_the_part_file(server, tmp_path):
    (tmp_path / "data.gz.part").write_bytes(CONTENT[:1234])
    assert download(known(server.url), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=1234-"]


def test_resumes_when_the_server_breaks_off(server, tmp_path):
    server.cut_after = 100_000
    assert download(known(server.url), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]


def test_a_server_without_ranges_starts_anew(server, tmp_path):
    server.ranges = False
    (tmp_path / "data.gz.part").write_bytes(CONTENT[:1234])
    assert download(known(server.url), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("start", [b"x" * 99, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 1)])
def test_a_bad_part_file_is_thrown_away(server, tmp_path, start):
    (tmp_path / "data.gz.part").write_bytes(start)
    assert download(known(server.url), tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] is None


def test_corrupt_content_is_refused(server, tmp_path):
    server.content = b"x" * len(CONTENT)
    with pytest.raises(DownloadError, match="its content has sha256") as caught:
        download(known(server.url), tmp_path)
    assert known().sha256 in str(caught.value)
    assert f"put it at {tmp_path / 'data.gz'}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_another_length_is_refused_before_it_is_read(server, tmp_path):
    server.content = b"<html>please log in</html>"
    with pytest.raises(DownloadError, match="offers 26 bytes, expected 256000"):
        download(known(server.url), tmp_path)
    (tmp_path / "data.gz.part").write_bytes(b"<html>")
    with pytest.raises(DownloadError, match="range 'bytes 6-25/26' of another file"):
        download(known(server.url), tmp_path)
    (tmp_path / "data.gz.part").write_bytes(b"x" * 500)
    with pytest.raises(DownloadError, match="it answered 416"):
        download(known(server.url), tmp_path)


def test_the_next_mirror_is_tried(server, tmp_path):
    closed = "http://127.0.0.1:9/"
    path = download(known(closed, server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    (tmp_path / "data.gz").unlink()
    with pytest.raises(DownloadError, match=r"could not download data\.gz .*Connection refused"):
        download(known(closed), tmp_path)


def test_redirects_may_not_leave_what_is_allowed(server, tmp_path):
    server.redirect = "http://example.org/data.gz"
    with pytest.raises(DownloadError, match=r"refused to download from http://example\.org"):
        download(known(server.url), tmp_path)


def test_a_full_disk_is_not_the_mirror_s_fault(server, tmp_path):
    (tmp_path / "data.gz.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        download(known(server.url), tmp_path)
    assert not isinstance(caught.value, DownloadError)


@pytest.mark.parametrize(
    "address", ["http://example.org/", "ftp://example.org/", "file:///etc/", "https:///x", "x/"]
)
def test_only_https_or_this_machine(address, tmp_path):
    with pytest.raises(ValueError, match="only https is allowed"):
        download(known(address), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address", ["https://example.org/", "http://localhost:1/", "http://[::1]/"]
)
def test_allowed_addresses(address):
    check_address(address)


def test_progress_goes_to_standard_error(server, tmp_path, capsys):
    download(known(server.url), tmp_path, progress=True)
    printed = capsys.readouterr()
    assert "data.gz" in printed.err
    assert printed.out == ""
