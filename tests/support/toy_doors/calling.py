"""A client of the toy channels."""

import base64

import httpx2

from tests.support.clocked import ClockedServer


class Caller:
    """Calls the toy channels."""

    def __init__(self, server: ClockedServer) -> None:
        self.client = httpx2.AsyncClient(base_url=server.url, timeout=30, verify=False)

    async def by_token(self, token: str, *, scheme: str = "Bearer") -> httpx2.Response:
        """One call with a bearer token."""
        sent = f"{scheme} {token}".strip().encode("latin-1")
        return await self.client.get("/toy-tokens/by-token", headers={b"Authorization": sent})

    async def by_password(self, name: str, password: str, *, source: str = "") -> httpx2.Response:
        """One call with name and password."""
        sent = base64.b64encode(f"{name}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {sent}", "X-Source": source}
        return await self.client.get("/toy-tokens/by-password", headers=headers)

    async def by_viewer(self, token: str, viewer: str) -> httpx2.Response:
        """One call with a token and whose it is."""
        headers = {"accesstoken": token, "viewerid": viewer}
        return await self.client.get("/toy-viewers/me", headers=headers)
