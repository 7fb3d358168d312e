"""Read and write the session cookie as header text, without a web framework.

Under https its name is `__Host-crossdock`: browsers accept that prefix only for Secure cookies of
exactly this host, so no sibling domain can set it. On plain http, as on a loopback address,
browsers would refuse the name.
"""

import re

import msgspec

_TOKEN = re.compile(r"[A-Za-z0-9]{43}")


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie for https or http, without an expiry: it ends with the browser session."""

    name: str
    is_secure: bool

    @property
    def full_name(self) -> str:
        """The name with its prefix."""
        return f"__Host-{self.name}" if self.is_secure else self.name

    def read(self, header: str) -> str:
        """The token in a Cookie header, or '' if there is none or it is malformed."""
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.full_name and _TOKEN.fullmatch(value):
                return value
        return ""

    def write(self, token: str) -> str:
        """The Set-Cookie header's value."""
        return f"{self.full_name}={token}; {self._attributes}"

    def erase(self) -> str:
        """The Set-Cookie header's value that deletes the cookie."""
        return f"{self.full_name}=; Max-Age=0; {self._attributes}"

    @property
    def _attributes(self) -> str:
        return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self.is_secure else "")


def session_cookie(public_url: str) -> Cookie:
    """The cookie that holds a session's token."""
    return Cookie(name="crossdock", is_secure=public_url.startswith("https:"))


def form_cookie(public_url: str) -> Cookie:
    """The cookie with the CSRF token of the sign-in form, before there is a session."""
    return Cookie(name="crossdock_form", is_secure=public_url.startswith("https:"))
