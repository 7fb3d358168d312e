"""How staff try an operation as a partner: the call is signed as the partner's program signs it."""

from datetime import datetime

from crossdock.channels.contract import TrialCall, Trials
from crossdock.channels.shoppex_partner.app import PREFIX
from crossdock.channels.shoppex_partner.auth import SignedHeaders, canonical_message, signer
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import NewCredential


def _prove(call: TrialCall, credential: NewCredential, now: datetime) -> TrialCall:
    nonce, timestamp = RandomIds().random_token(24), str(int(now.timestamp()))
    route = call.path.partition("?")[0].removeprefix(PREFIX)
    signed = SignedHeaders(credential.key, timestamp, nonce, "")
    message = canonical_message(call.method, route, signed, call.body)
    headers = {
        "x-shoppex-key": credential.key,
        "x-shoppex-timestamp": timestamp,
        "x-shoppex-nonce": nonce,
        "x-shoppex-signature": signer(message)(credential.secret.encode()),
    }
    return TrialCall(method=call.method, path=call.path, head=call.head | headers, body=call.body)


TRIALS = Trials(prove=_prove)
