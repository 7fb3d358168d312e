"""Find a partner and one of its keys by what the operator typed."""

from typing import TYPE_CHECKING

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound

if TYPE_CHECKING:
    from crossdock.shop.partners import PartnerView


async def find_partner(tx: Transaction, *, who: str) -> "PartnerView":
    """The partner with this number, else with this key or name. Raises NotFound, Invalid for several.

    The number comes first although a web shop's key is a small number too; find such a shop by name.
    """
    from crossdock.shop.acts import name_shop
    from crossdock.shop.partners import list_partners

    partners = await list_partners(tx)
    found = [partner for partner in partners if who in {partner.name, *keys_of(partner)}]
    found = [partner for partner in partners if who == str(partner.id)] or found
    if not found:
        raise NotFound("not_found", f"There is no partner {who!r}; see: crossdock partner list")
    if len(found) > 1:
        numbers = ", ".join(f"{partner.id} ({partner.shop})" for partner in found)
        raise Invalid(
            "invalid_input", f"Several partners are called {who!r}; give a number: {numbers}."
        )
    name_shop(found[0].shop)
    return found[0]


def keys_of(partner: "PartnerView") -> list[str]:
    """All keys of the partner, including disabled ones."""
    return [credential.key for credential in partner.credentials]


def choose_key(partner: "PartnerView", *, who: str, key: str) -> str:
    """The given key, the key by which the partner was found, or its only one. Raises Invalid."""
    keys = keys_of(partner)
    chosen = key or (who if who in keys else "")
    if chosen and chosen in keys:
        return chosen
    if chosen or len(keys) != 1:
        listed = ", ".join(keys) or "none"
        raise Invalid("invalid_input", f"Choose a key with --key; the partner has {listed}.")
    return keys[0]
