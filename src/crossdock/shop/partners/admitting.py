"""Add a partner of a channel with its terms and every credential that the channel gives."""

from collections.abc import Callable, Mapping

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.kit.outbound import Outbound
from crossdock.kit.texts import visible
from crossdock.shop.partners.facts import ChannelFacts
from crossdock.shop.partners.keys import NewCredential, add_credential
from crossdock.shop.partners.managing import add_partner, set_terms
from crossdock.shop.partners.reading import read_partner_bounds
from crossdock.shop.partners.wording import Wording, read_terms
from crossdock.shop.shops import Shop


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A new partner with its credentials, whose secrets are shown only now."""

    partner_id: int
    created: tuple[NewCredential, ...]
    can_order: bool

    def __repr__(self) -> str:
        return f"Admitted(partner_id={self.partner_id}, can_order={self.can_order})"


class Admitting(msgspec.Struct, frozen=True, kw_only=True):
    """Whose partners are added or changed, on which channel, and what that needs.

    `box` is asked only where there is a secret: without one, no master key is needed.
    """

    shop: Shop
    facts: ChannelFacts
    ids: Ids
    box: Callable[[], SecretBox]
    outbound: Outbound

    @property
    def wording(self) -> Wording:
        """How the terms of such a partner are read."""
        return Wording(
            shop=self.shop,
            permissions=self.facts.permissions,
            settings=self.facts.settings,
            outbound=self.outbound,
        )


async def admit_partner(
    tx: Transaction,
    *,
    admitting: Admitting,
    name: str,
    words: Mapping[str, str],
    is_test: bool,
) -> Admitted:
    """Add a partner; without a word for them it has the channel's permissions, and no customer.

    Raises Invalid `invalid_input` for a name that cannot be seen, Conflict `exists`, and as `read_terms`.
    """
    facts = admitting.facts
    if not visible(name):
        raise Invalid("invalid_input", "A partner needs a name.", {"field": "name"})
    defaults = {"permissions": ",".join(facts.given) or "none"} | dict(words)
    terms = await read_terms(tx, wording=admitting.wording, words=defaults)
    partner_id = await add_partner(
        tx,
        shop_id=admitting.shop.id,
        channel=facts.name,
        name=name.strip(),
        terms=terms,
        box=admitting.box(),
    )
    created = [
        await add_credential(
            tx,
            partner_id=partner_id,
            ids=admitting.ids,
            box=admitting.box(),
            proof=proof,
            prefix=facts.token_prefix if proof == "bearer" else "",
            is_test=is_test,
            is_number=facts.keys_are_numbers and proof != "password",
        )
        for proof in (facts.proof, *facts.further_proofs)
    ]
    has_customer = bool(terms.customer_id) and terms.customer_id is not msgspec.UNSET
    return Admitted(
        partner_id=partner_id,
        created=tuple(created),
        can_order=has_customer or not facts.needs_customer,
    )


async def change_terms(
    tx: Transaction, *, admitting: Admitting, partner_id: int, words: Mapping[str, str]
) -> None:
    """Change the terms that are named, from the partner's next request on.

    Raises as `read_terms`, and Invalid `invalid_input` where the least amount were more than the largest.
    """
    terms = await read_terms(tx, wording=admitting.wording, words=dict(words))
    box = admitting.box() if terms.secrets is not msgspec.UNSET else None
    await set_terms(tx, partner_id=partner_id, terms=terms, box=box)
    least, most = await read_partner_bounds(tx, partner_id=partner_id)
    if least is not None and most is not None and least > most:
        raise Invalid(
            "invalid_input", "min_amount must not be more than max_amount.", {"field": "max_amount"}
        )
