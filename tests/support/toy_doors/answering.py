"""What the toy channels do alike."""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from crossdock.channels.contract import Answer
from crossdock.errors import CrossdockError, Refused, Unavailable
from crossdock.shop.partners import Credential

nothing = PlainTextResponse("There is nothing here.", status_code=404)


def told(credential: Credential) -> Response:
    """Who called."""
    partner = credential.partner
    return JSONResponse({"partner": partner.id, "key": credential.public_key})


def render_error(error: CrossdockError, method: str) -> Answer:
    """401 for whoever is not proven, 403 for what belongs to another, 429 for too many calls."""
    status = 500
    if isinstance(error, Refused):
        status = 403 if error.code == "credential_signature" else 401
    elif isinstance(error, Unavailable):
        status = 429 if error.code == "rate_limited" else 503
    headers = {"Retry-After": str(error.data["retry_after_s"])} if status == 429 else {}
    body = msgspec.json.encode({"code": error.code, "message": error.message})
    return Answer(status=status, body=body, headers=headers)


def bearer(request: Request) -> str:
    """The token of an Authorization header, '' without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
