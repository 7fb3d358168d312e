"""Explains how the server verifies a request, and which check fails.

It neither shows nor accepts a secret and never prints the correct signature, which would sign
requests for anybody. Works for test credentials only.
"""

import hashlib
from datetime import datetime
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request, Response

from crossdock.channels.shoppex_partner import auth, pages
from crossdock.channels.shoppex_partner.advice import ADVICE
from crossdock.channels.shoppex_partner.errors import WIRE, WireError
from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings
from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.clock import Clock
from crossdock.shop.partners import Credential, Signatures, is_nonce_spent

PATH = "/docs/shoppex_partner/explain"
ROUTES = {
    "GET": "/shoppex-integrations/v1/products",
    "POST": "/shoppex-integrations/v1/create-order",
}
_PERMISSIONS = {"GET": "products.read", "POST": "orders.create"}
_BODY_MAX = 262_144
_FIELDS_MAX = 16


class SignedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to explain: what the partner sent, or is about to send."""

    method: str
    key: str
    timestamp: str
    nonce: str
    signature: str
    body: bytes = b""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The four headers as sent; characters that a header cannot carry become '?'."""
        values = (self.key, self.timestamp, self.nonce, self.signature)
        names = (auth.KEY, auth.TIMESTAMP, auth.NONCE, auth.SIGNATURE)
        return [
            (name, value.encode("latin-1", "replace"))
            for name, value in zip(names, values, strict=True)
        ]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: `outcome` is passed, failed or skipped, `code` the error that it would cause."""

    name: str
    outcome: str
    detail: str = ""
    code: str = ""

    @property
    def advice(self) -> str:
        """What to do about a failure."""
        return ADVICE.get(self.code, "")


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The canonical message, its hash, the body's hash, and every check in order."""

    accepted: bool
    canonical_message: str
    message_sha256: str
    body_sha256: str
    checks: tuple[Check, ...]
    hints: tuple[str, ...] = ()


class Explainer:
    """Runs the checks of the specification without side effects."""

    def __init__(
        self,
        db: Database,
        signatures: Signatures,
        *,
        clock: Clock,
        settings: ShoppexPartnerSettings,
    ) -> None:
        self._db = db
        self._signatures = signatures
        self._clock = clock
        self._settings = settings

    async def explain(self, request: SignedRequest) -> Explanation:
        """What would happen to `request` now."""
        is_key = auth.KEY_SYNTAX.fullmatch(request.key) is not None
        credential = await self._signatures.peek(request.key) if is_key else None
        is_test = credential is not None and credential.is_test
        checks = await self._checks(request, credential if is_test else None)
        message = _message(request)
        return Explanation(
            accepted=all(check.outcome == "passed" for check in checks),
            canonical_message=message.decode("latin-1"),
            message_sha256=hashlib.sha256(message).hexdigest(),
            body_sha256=hashlib.sha256(request.body).hexdigest(),
            checks=tuple(checks),
            hints=tuple(self._hints(request, credential)) if is_test else (),
        )

    async def _checks(self, request: SignedRequest, credential: Credential | None) -> list[Check]:
        now = self._clock.now()
        checks = [_headers_check(request), self._time_check(request, now)]
        checks.append(_key_check(credential))
        if credential is None:
            names = ("signature", "nonce", "permission")
            return [*checks, *(Check(name=name, outcome="skipped") for name in names)]
        checks.append(self._signature_check(request, credential))
        has_nonce = auth.NONCE_SYNTAX.fullmatch(request.nonce) is not None
        if has_nonce:
            checks.append(await self._nonce_check(request, credential, now))
        else:
            checks.append(Check(name="nonce", outcome="skipped"))
        checks.append(_permission_check(request, credential))
        return checks

    def _time_check(self, request: SignedRequest, now: datetime) -> Check:
        window_s = self._settings.signature_window_s
        try:
            auth.check_timestamp(request.timestamp, now=now, window_s=window_s)
        except WireError as error:
            detail = f"The server's time is {int(now.timestamp())}; a difference of {window_s} s is accepted."
            return Check(name="timestamp", outcome="failed", detail=detail, code=error.wire_code)
        apart = int(now.timestamp()) - int(request.timestamp)
        return Check(name="timestamp", outcome="passed", detail=f"{abs(apart)} s apart.")

    def _signature_check(self, request: SignedRequest, credential: Credential) -> Check:
        sign = auth.signer(_message(request))
        if self._signatures.match(credential, sign, request.signature.strip()):
            return Check(name="signature", outcome="passed")
        return _failed("signature", "credential_signature")

    async def _nonce_check(
        self, request: SignedRequest, credential: Credential, now: datetime
    ) -> Check:
        async with self._db.statement() as tx:
            spent = await is_nonce_spent(
                tx, credential_id=credential.id, nonce=request.nonce, now=now
            )
        return _failed("nonce", "nonce_reused") if spent else Check(name="nonce", outcome="passed")

    def _hints(self, request: SignedRequest, credential: Credential | None) -> list[str]:
        """Common mistakes, each tried with the partner's secret; only the mistake's name is returned."""
        if credential is None or not request.signature:
            return []
        found = []
        for text, sign in auth.mistakes(
            request.method, ROUTES[request.method], _signed(request), request.body
        ):
            if self._signatures.match(credential, sign, request.signature.strip()):
                found.append(text)
        return found


class ExplainTool:
    """The explainer's page."""

    def __init__(self, explainer: Explainer) -> None:
        self._explainer = explainer
        self._page = pages.create_pages().page

    async def page(self, request: Request) -> Response:
        """The form, with the explanation of the submitted request below."""
        asked, explanation = None, None
        if request.method == "POST":
            asked = await _from_form(request)
            explanation = await self._explainer.explain(asked)
        return self._page(
            "explain.html",
            asked=asked or _NOTHING,
            explanation=explanation,
            path=PATH,
            keeps_crlf=_keeps_crlf(asked),
        )


_NOTHING = SignedRequest(method="GET", key="", timestamp="", nonce="", signature="")


def _keeps_crlf(asked: SignedRequest | None) -> bool:
    return asked is not None and b"\r\n" in asked.body


async def _from_form(request: Request) -> SignedRequest:
    text = (await request.body()).decode("utf-8", "replace")
    try:
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX))
    except ValueError:
        message = f"The form has more than {_FIELDS_MAX} fields: this page did not send it."
        raise WireError("partner_invalid_payload", message) from None
    method = "POST" if form.get("method") == "POST" else "GET"
    body = form.get("body", "").encode()[:_BODY_MAX]
    if form.get("newlines") != "crlf":
        body = body.replace(b"\r\n", b"\n")
    return SignedRequest(
        method=method,
        key=form.get("key", "").strip()[:200],
        timestamp=form.get("timestamp", "").strip()[:200],
        nonce=form.get("nonce", "").strip()[:200],
        signature=form.get("signature", "").strip()[:200],
        body=body,
    )


def _message(request: SignedRequest) -> bytes:
    return auth.canonical_message(
        request.method, ROUTES[request.method], _signed(request), request.body
    )


def _signed(request: SignedRequest) -> auth.SignedHeaders:
    return auth.SignedHeaders(
        *(value.decode("latin-1").strip(" \t") for _, value in request.headers())
    )


def _headers_check(request: SignedRequest) -> Check:
    try:
        auth.read_headers(request.headers())
    except WireError as error:
        return Check(name="headers", outcome="failed", detail=error.message, code=error.wire_code)
    return Check(name="headers", outcome="passed")


def _key_check(credential: Credential | None) -> Check:
    if credential is None:
        check = _failed("key", "credential_unknown")
        return msgspec.structs.replace(
            check, detail="The key is unknown, disabled, or not a test credential."
        )
    return Check(name="key", outcome="passed", detail=f"Partner: {credential.partner.name}")


def _permission_check(request: SignedRequest, credential: Credential) -> Check:
    try:
        auth.require(credential, _PERMISSIONS[request.method])
    except Refused:
        return _failed("permission", "permission_denied")
    return Check(name="permission", outcome="passed", detail=_PERMISSIONS[request.method])


def _failed(name: str, code: str) -> Check:
    _, wire_code, message = WIRE[code]
    return Check(name=name, outcome="failed", detail=message, code=wire_code)
