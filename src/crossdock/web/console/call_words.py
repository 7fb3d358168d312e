"""What authentication made of a partner's call, in plain words."""

from typing import Final

from crossdock.kit.languages import gettext, lazy
from crossdock.shop.partners import ACCEPTED, KeptCall

VERDICTS: Final = {
    ACCEPTED: lazy("The signature or token is right."),
    "credential_unknown": lazy("The token or password is not the partner's."),
    "credential_signature": lazy("The signature is wrong."),
    "credential_stale": lazy("The partner was changed while the call came in."),
    "nonce_reused": lazy("The nonce was used before: each call needs a new one."),
    "rate_limited": lazy("The partner called too often, and was told to wait."),
    "shop_suspended": lazy("The shop is suspended."),
    "partner_off": lazy("All calls of the partner are refused."),
    "key_off": lazy("The key is switched off."),
    "secret_revoked": lazy("The secret or token was revoked."),
    "secret_over": lazy("The secret or token has ended: the partner uses the one from before."),
}
_UNEXPLAINED: Final = lazy(
    "No common mistake explains it: the secret is another one, or another text was signed than was sent."
)


def verdict(call: KeptCall) -> str:
    """What authentication made of the call, and the mistake where one explains it."""
    told = VERDICTS.get(call.verdict)
    text = str(told) if told else gettext(call.verdict)
    if call.verdict != "credential_signature":
        return text
    return f"{text} {gettext(call.mistake) if call.mistake else _UNEXPLAINED}"


def is_accepted(call: KeptCall) -> bool:
    """Whether the caller was let in, whatever became of the call then."""
    return call.verdict == ACCEPTED
