"""How staff try a method as a partner: what they enter is the call's `data`, and `auth` is put beside it."""

from datetime import datetime

import msgspec

from crossdock.channels.contract import TrialCall, Trials
from crossdock.channels.shopwedo.auth import AuthObject, signer
from crossdock.errors import Invalid
from crossdock.kit.ids import RandomIds
from crossdock.kit.languages import gettext
from crossdock.shop.partners import NewCredential


def _prove(call: TrialCall, credential: NewCredential, now: datetime) -> TrialCall:
    try:
        given = msgspec.json.decode(call.body or b"{}", type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        raise Invalid(
            "invalid_input", gettext("The body must be a JSON object."), {"field": "body"}
        ) from None
    auth = AuthObject(
        credential.key, f"{now.timestamp():.4f}", RandomIds().random_token(16), token=""
    )
    token = signer(auth)(credential.secret.encode())
    proven = {**given, "auth": msgspec.structs.replace(auth, token=token)}
    return TrialCall(
        method=call.method,
        path=call.path,
        head=call.head,
        body=msgspec.json.encode(proven),
    )


TRIALS = Trials(
    prove=_prove,
    bodies={
        "authTest": "{}",
        "getOrder": '{"data": {"external_order_id": ""}}',
        "getStock": '{"data": {"offset": 0}}',
        "getProducts": '{"data": {"offset": 0}}',
        "getCategories": '{"data": {}}',
        "getBlogPosts": '{"data": {}}',
        "getRetourSettings": '{"data": {}}',
    },
)
