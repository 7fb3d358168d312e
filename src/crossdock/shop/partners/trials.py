"""What is needed to try an operation of a channel as one of its partners: the channel proves the call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.partners.facts import ChannelFacts
from crossdock.shop.partners.keys import NewCredential, add_credential, refuse_kept_by_others

LENT_FOR: Final = timedelta(minutes=2)


class TrialCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is to be sent: the path with its query, the names of its head in lower case."""

    method: str
    path: str
    head: dict[str, str]
    body: bytes


Prove = Callable[[TrialCall, NewCredential, datetime], TrialCall]
"""The call with what proves its caller at that moment. Raises Invalid for a body that cannot carry that."""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """How operations of a channel are tried.

    Of its OpenAPI document those are offered that need none but the security `schemes`; `bodies` are examples by
    operation id, for those whose schema makes none that works.
    """

    prove: Prove
    schemes: tuple[str, ...] = ()
    bodies: Mapping[str, str] = field(default_factory=dict)


async def lend_credential(
    tx: Transaction,
    *,
    partner_id: int,
    facts: ChannelFacts,
    ids: Ids,
    box: SecretBox,
    now: datetime,
) -> NewCredential:
    """A test key of the partner's for one call: it ends by itself if it is not taken back.

    Raises as `refuse_kept_by_others`.
    """
    await refuse_kept_by_others(tx, partner_id=partner_id)
    lent = await add_credential(
        tx,
        partner_id=partner_id,
        ids=ids,
        box=box,
        proof=facts.proof,
        prefix=facts.token_prefix if facts.proof == "bearer" else "",
        is_test=True,
        is_number=facts.keys_are_numbers,
    )
    await tx.run(_END, {"until": now + LENT_FOR, "channel": facts.name, "key": lent.key})
    return lent


async def take_back(tx: Transaction, *, channel: str, key: str) -> None:
    """End a key that was lent."""
    await tx.run(
        "delete from credentials where channel = %s and public_key = %s and lent_until is not null",
        (channel, key),
    )


_END: Final = """
    with lent as (
        update credentials set lent_until = %(until)s where channel = %(channel)s and public_key = %(key)s
        returning id)
    update credential_secrets set expires_at = %(until)s where credential_id = (select id from lent)
"""
