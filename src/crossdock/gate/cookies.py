"""The session cookie as header text; knows no web framework.

Behind https it is called `__Host-crossdock`: browsers then accept it only as Secure, for this very
host and every path, so no neighbouring host can plant one. On plain http, as on a loopback
address, a browser would not take that name.
"""

import re

import msgspec

_TOKEN = re.compile(r"[A-Za-z0-9]{43}")


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """One cookie of ours, for https or for http; it ends with the browser."""

    name: str
    is_secure: bool

    @property
    def full_name(self) -> str:
        """The name as it is sent."""
        return f"__Host-{self.name}" if self.is_secure else self.name

    def read(self, header: str) -> str:
        """Our token in a Cookie header, or '' when there is none of the right shape."""
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.full_name and _TOKEN.fullmatch(value):
                return value
        return ""

    def write(self, token: str) -> str:
        """The Set-Cookie header's value."""
        return f"{self.full_name}={token}; {self._attributes}"

    def erase(self) -> str:
        """The Set-Cookie header's value that takes the cookie away."""
        return f"{self.full_name}=; Max-Age=0; {self._attributes}"

    @property
    def _attributes(self) -> str:
        return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self.is_secure else "")


def session_cookie(public_url: str) -> Cookie:
    """The cookie that holds a session's token."""
    return Cookie(name="crossdock", is_secure=public_url.startswith("https:"))


def form_cookie(public_url: str) -> Cookie:
    """The cookie that the sign-in form's token is compared with, before there is a session."""
    return Cookie(name="crossdock_form", is_secure=public_url.startswith("https:"))
