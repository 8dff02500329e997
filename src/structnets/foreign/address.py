"""Where MLflow is, by an address that shows itself without what is secret in it.

An address may hold a user with a password, a token in place of a user, or a password among the
parameters after ``?``. `Address` keeps them apart from what is shown: text made of it, in whatever
way, has ``***`` in their place, and `Address.without_secrets` does the same to the words of others.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from structnets.foreign.shown import shortened

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HOST = re.compile(r"[\w.-]+(?::\d*)?|\[[0-9A-Fa-f:.]+\](?::\d*)?", re.ASCII)
_HIDDEN = "***"
_VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


@dataclass(frozen=True)
class Address:
    """A tracking URI.

    Parameters
    ----------
    given : str
        As the user wrote it. A password may hold any letter, also such as an address should have
        written as ``%2F``; one that could be read in two ways is refused when it is used.

    Examples
    --------
    >>> str(Address("http://me:a/b#c@tracking:5000"))
    'http://me:***@tracking:5000'
    >>> Address("http://me:a/b#c@tracking:5000").without_secrets("no route for a/b#c")
    'no route for ***'
    """

    given: str = field(repr=False)

    @classmethod
    def of(cls, uri: str | Address) -> Address:
        """Return an address of text, or the address itself."""
        return uri if isinstance(uri, cls) else cls(str(uri))

    @property
    def is_server(self) -> bool:
        """Whether it is that of a server, which creates its own schema."""
        return self._scheme in ("http", "https")

    @property
    def file(self) -> str | None:
        """The file of an SQLite store, else None."""
        return self.given.removeprefix("sqlite:///") if self._scheme == "sqlite" else None

    @property
    def user(self) -> str:
        """The user, or nothing; not secret if there is a password."""
        return unquote(self._parts[0].partition(":")[0]) if self._password else ""

    @property
    def password(self) -> str:
        """The password, or nothing."""
        return unquote(self._password)

    @property
    def token(self) -> str:
        """What stands in place of a user without a password, or nothing."""
        return "" if self._password else unquote(self._parts[0].rstrip(":"))

    @property
    def client(self) -> str:
        """What MLflow's client is given: of a server, the address without user and password.

        Raises
        ------
        ValueError
            If it can be read in two ways.
        """
        if not self.is_server:
            return self.given
        place = self._parts[1]
        head = re.split(r"[/?#]", place, maxsplit=1)[0]
        if "@" in place or not _HOST.fullmatch(head):
            raise ValueError(
                f"MLFLOW_TRACKING_URI ({self}) can be read in two ways; write the user and the "
                "password into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead"
            )
        return f"{self._scheme}://{re.split('[?#]', place, maxsplit=1)[0].rstrip('/')}"

    def authorization(self) -> str | None:
        """Return the header that MLflow's client sends: of the address, else of the environment."""
        user, password, token = (
            (self.user, self.password, self.token)
            if self._parts[0]
            else (os.environ.get(name, "") for name in _VARIABLES)
        )
        if user and password:
            return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
        return f"Bearer {token}" if token else None

    def hand_over(self) -> None:
        """Put user, password or token where MLflow's client looks, and take them from the URI.

        The environment is inherited by processes that may show the address of their server.
        """
        if not self.is_server or not self._parts[0]:
            return
        for name, value in zip(_VARIABLES, (self.user, self.password, self.token), strict=True):
            if value:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)
        if os.environ.get("MLFLOW_TRACKING_URI") == self.given:
            os.environ["MLFLOW_TRACKING_URI"] = self.client

    def without_secrets(self, text: object) -> str:
        """Return text with ``***`` in place of what is secret in the address."""
        shown = str(text).replace(self.given, str(self))
        for secret in sorted(self._secrets, key=len, reverse=True):
            shown = shown.replace(secret, _HIDDEN)
        return shown

    def __str__(self) -> str:
        """Show the address without its secrets."""
        match = _SCHEME.fullmatch(self.given)
        if match is None or self.file is not None:
            known = "@" not in self.given and "?" not in self.given
            return shortened(self.given) if known else _HIDDEN
        userinfo, place = self._parts
        if "@" in place or (self.is_server and not _HOST.fullmatch(re.split("[/?#]", place)[0])):
            return f"{match[1]}://{_HIDDEN}"  # who knows what of it is secret
        path = re.split(r"[?#]", place, maxsplit=1)
        before = f"{self.user}:{_HIDDEN}@" if self.user else f"{_HIDDEN}@" if userinfo else ""
        return shortened(f"{match[1]}://{before}{path[0]}{f'?{_HIDDEN}' * (len(path) > 1)}")

    __repr__ = __str__

    @property
    def _scheme(self) -> str:
        match = _SCHEME.fullmatch(self.given)
        return match[1].lower() if match else ""

    @property
    def _parts(self) -> tuple[str, str]:
        """What stands before the host, and host and path.

        A password with ``/``, ``?`` or ``#`` looks like the begin of a path: the last ``@`` ends
        it, unless a host without a user stands before, whose path may have one, or nothing does.
        """
        match = _SCHEME.fullmatch(self.given)
        rest = match[2] if match else ""
        head = re.split(r"[/?#]", rest, maxsplit=1)[0]
        if ("@" in head and "@" not in rest[len(head) :]) or (
            head and "@" in rest and "@" not in head and not _HOST.fullmatch(head)
        ):
            userinfo, _, place = rest.rpartition("@")
        else:
            userinfo, place = "", rest
        return userinfo, place

    @property
    def _password(self) -> str:
        return self._parts[0].partition(":")[2]

    @property
    def _secrets(self) -> set[str]:
        """What must not be shown, in the ways in which libraries write it."""
        userinfo, place = self._parts
        if "@" in place:
            userinfo = place.rpartition("@")[0]
        plain = [userinfo.partition(":")[2] or userinfo.rstrip(":"), userinfo]
        for parameter in re.split(r"[?#&]", place)[1:]:
            plain += [parameter.partition("=")[2] or parameter]
        forms = [form for text in plain for form in (text, unquote(text), quote(text, safe=""))]
        return {form for form in forms if form}
