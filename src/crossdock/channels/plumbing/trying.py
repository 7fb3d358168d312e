"""Proves a call that staff try by its token in headers."""

from collections.abc import Callable, Mapping
from datetime import datetime

from crossdock.channels.contract import TrialCall
from crossdock.shop.partners import NewCredential


def with_headers(
    made: Callable[[NewCredential], Mapping[str, str]],
) -> Callable[[TrialCall, NewCredential, datetime], TrialCall]:
    """The call with these headers; a token that its path names stands in the path."""

    def prove(call: TrialCall, credential: NewCredential, _now: datetime) -> TrialCall:
        return TrialCall(
            method=call.method,
            path=call.path.replace("{token}", credential.secret),
            head={**call.head, **made(credential)},
            body=call.body,
        )

    return prove


def bearer(credential: NewCredential) -> dict[str, str]:
    """The header of a bearer token."""
    return {"authorization": f"Bearer {credential.secret}"}
