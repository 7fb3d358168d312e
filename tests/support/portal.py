"""A reseller in the portal: invitations, and programs that hold a session instead of a key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from crossdock.kit.ids import RandomIds
from crossdock.shop.resellers import Reseller, ResellerTerms, invite
from tests.support.people import PASSWORD
from tests.support.reseller_client import KeyHolder
from tests.support.reselling import Reselling

PORTAL = "/portal/v1"


async def invitation(
    selling: Reselling, *, email: str = "", days: int = 7, **terms: Any
) -> tuple[str, str]:
    """(address, token) of an invitation; an address of its own unless told otherwise."""
    to = email or f"ada-{RandomIds().random_token(8).lower()}@reseller.example"
    async with selling.database.begin() as tx:
        made = await invite(
            tx,
            shop_id=selling.shop.id,
            email=to,
            terms=ResellerTerms(**terms),
            ids=RandomIds(),
            now=selling.clock.now(),
            expires_in_days=days,
        )
    return to, made.token


class Member(KeyHolder):
    """A program with a reseller's session."""

    email: str
    relationship_id: str
    reseller: Reseller


@asynccontextmanager
async def joined(
    selling: Reselling, url: str, *, email: str = "", password: str = PASSWORD, **terms: Any
) -> AsyncIterator[Member]:
    """Somebody who accepted an invitation of the shop, with the session that they got."""
    address, token = await invitation(selling, email=email, **terms)
    async with KeyHolder(url, key="") as guest:
        body = {"token": token, "name": "Ada", "password": password}
        told = await guest.data("POST", f"{PORTAL}/invitations/accept", json=body, status=201)
    async with selling.database.statement() as tx:
        from crossdock.shop.resellers import read_reseller

        number = await tx.value(
            "select id from resellers where shop_id = %s and email = %s and status <> 'terminated'",
            (selling.shop.id, address),
        )
        reseller = await read_reseller(tx, shop_id=selling.shop.id, reseller_id=number)
    async with Member(url, key=told["session"]["token"]) as member:
        member.email, member.reseller = address, reseller
        member.relationship_id = told["relationship"]["id"]
        yield member
