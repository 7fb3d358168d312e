"""Second-step secrets after a change of the master key."""

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import SealBroken, SecretBox
from crossdock.shop.people.factors import totp_place

_SEALED = (
    "select id, totp_sealed from people where totp_sealed is not null order by id for no key update"
)
_SEAL_AGAIN = """
update people p set totp_sealed = x.sealed from unnest(%s::bigint[], %s::bytea[]) as x (id, sealed)
where p.id = x.id
"""


class Resealed(msgspec.Struct, frozen=True, kw_only=True):
    """How many secrets were sealed again, and the ids of people whose secret no known key opens."""

    sealed: int
    unreadable: tuple[int, ...]


async def reseal_totp(tx: Transaction, *, box: SecretBox) -> Resealed:
    """Seal again under the newest master key what `box` opens with an older one.

    What no known key opens stays as it is: `clear_totp` lets its person in without the second step.
    """
    anew: dict[int, bytes] = {}
    unreadable: list[int] = []
    for person_id, sealed in await tx.all(_SEALED):
        place = totp_place(person_id)
        try:
            secret = box.open(sealed, place=place)
        except SealBroken:
            unreadable.append(person_id)
            continue
        if not box.is_current(sealed):
            anew[person_id] = box.seal(secret, place=place)
    await tx.run(_SEAL_AGAIN, (list(anew), list(anew.values())))
    return Resealed(sealed=len(anew), unreadable=tuple(unreadable))
