"""Download of known files: from several mirrors, resumed, checked, renamed at the end."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from structnets.data.originals.published import check_original
from structnets.data.sets.entries.known_file import KnownFile
from structnets.files import sha256_file

_CHUNK = 1 << 16
_ATTEMPTS = 5


class DownloadError(OSError):
    """No mirror gave the file; the message says how to get it by other means."""


class _MirrorError(Exception):
    """Why one mirror did not give the file."""


def download(
    file: KnownFile,
    directory: str | os.PathLike[str],
    *,
    progress: bool = False,
    timeout: float = 30.0,
) -> Path:
    """Bring `file` into `directory`, unless it is there, and verify its SHA-256.

    Bytes arrive in ``<name>.part`` beside the final name. A later call, or the next mirror,
    continues from what is there; the final name appears only with the right content.

    Parameters
    ----------
    file : KnownFile
        What to get, and the mirrors to ask in turn: https only, or http on this machine.
    directory : path
        Where to put it; made if missing.
    progress : bool
        Show a progress bar on standard error.
    timeout : float
        Seconds without an answer after which a mirror is given up.

    Returns
    -------
    pathlib.Path
        The verified file.

    Raises
    ------
    DownloadError
        If no mirror gave the file.
    ValueError
        If another content already has the file's name, or a mirror's address is refused.
    """
    final = Path(directory) / file.name
    if final.exists():
        return check_original(file, directory)
    for mirror in file.mirrors:
        check_address(mirror)
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f"{file.name}.part")
    reasons = []
    with _turn(final.parent), _progress_bar(file, shown=progress) as show:
        if final.exists():  # brought by another call that this one waited for
            return check_original(file, directory)
        for mirror in file.mirrors:
            try:
                _complete(mirror + file.name, file, part, timeout, show)
            except _MirrorError as error:
                reasons.append(f"{mirror}: {error}")
            else:
                part.replace(final)
                return final
    raise DownloadError(
        f"could not download {file.name} ({'; '.join(reasons)}); {file.how_to_get(directory)}"
    )


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait for other downloads into a folder: they would write to the same unfinished file."""
    import fcntl

    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some cluster file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def check_address(address: str) -> None:
    """Refuse an address that is neither https nor http on this machine.

    Raises
    ------
    ValueError
        If the address is refused.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise ValueError(f"refused to download from {address}: only https is allowed")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never to an address that would have been refused at first."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the request to follow, as `urllib` asks for it."""
        try:
            check_address(newurl)
        except ValueError as error:
            raise urllib.error.URLError(str(error)) from error
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError(f"refused to leave https for {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _complete(
    url: str, file: KnownFile, part: Path, timeout: float, show: Callable[[int], None]
) -> None:
    """Bring `part` to the whole verified file, resuming while the mirror keeps giving."""
    reason = ""
    for _ in range(_ATTEMPTS):
        start = _size(part)
        if start < file.size:
            reason = _append(url, file, part, timeout, show)
        reached = _size(part)
        if reached < file.size and reached <= start:
            break
        if reached < file.size:
            continue
        found = sha256_file(part)
        if found == file.sha256:
            return
        part.unlink()
        reason = f"its content has sha256 {found}"
        # What an earlier call or another mirror left may be the cause: once more from zero.
        if start == 0:
            break
    raise _MirrorError(reason)


def _append(
    url: str, file: KnownFile, part: Path, timeout: float, show: Callable[[int], None]
) -> str:
    """Append to `part` what the mirror gives; return why it ended ("" when complete)."""
    start = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.build_opener(_SafeRedirects).open(request, timeout=timeout) as answer:
            start = _accepted_start(answer, start, file.size)
            with part.open("ab" if start else "wb") as target:
                return _copy(answer, target, start, file.size, show)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)
            return f"it answered {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (_MirrorError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__


def _accepted_start(answer: Any, start: int, size: int) -> int:
    """Return the offset at which the answer's bytes begin; refuse another length or range."""
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        given = answer.headers.get("Content-Range", "")
        if given != f"bytes {start}-{size - 1}/{size}":
            raise _MirrorError(f"it answered with the range {given!r} of another file")
        return start
    length = answer.headers.get("Content-Length")
    if length is not None and length != str(size):
        raise _MirrorError(f"it offers {length} bytes, expected {size}")
    return 0


def _copy(answer: Any, target: IO[bytes], done: int, size: int, show: Callable[[int], None]) -> str:
    while done < size:
        # Only reading may fail by the mirror's fault; a full disk must not look like it.
        try:
            block = answer.read(min(_CHUNK, size - done))
        except (OSError, http.client.HTTPException) as error:
            return f"it broke off after {done} of {size} bytes: {error}"
        if not block:
            return f"it ended after {done} of {size} bytes"
        target.write(block)
        done += len(block)
        show(done)
    return ""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextlib.contextmanager
def _progress_bar(file: KnownFile, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told the number of bytes reached."""
    if not shown:
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(file.name, total=file.size)
        yield lambda done: bar.update(task, completed=done)
