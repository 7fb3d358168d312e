"""Changes that people make to their own account: password, second factor, recovery codes."""

import base64
import binascii
from datetime import timedelta

import msgspec
import structlog

from crossdock.errors import Invalid, SealBroken
from crossdock.shop.people.attempts import begin_attempt, code_attempt, end_attempt
from crossdock.shop.people.factors import (
    Enrolment,
    clear_totp,
    enrolment_of,
    matching_step,
    new_enrolment,
    plain_code,
    replace_recovery_codes,
    set_totp,
)
from crossdock.shop.people.managing import has_password, set_language, set_password_hash
from crossdock.shop.people.means import Means
from crossdock.shop.people.model import Visit
from crossdock.shop.people.passwords import check_password

log = structlog.get_logger("crossdock.people")

OFFER_LIFE = timedelta(hours=1)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that is not active yet; `sealed` is a hidden field of the form."""

    enrolment: Enrolment
    sealed: str


class Account:
    """Every change requires the current password; wrong ones count as failed attempts, like codes."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def change_password(
        self, visit: Visit, *, password: str, new_password: str, source: str
    ) -> None:
        """Set a new password and end the person's other sessions.

        Raises Invalid `invalid_input` (a wrong or a weak password), Unavailable `rate_limited`.
        """
        check_password(new_password, email=visit.person.email)
        await self._check(visit, password=password, source=source)
        new_hash = await self._means.hasher.hash(new_password)
        async with self._means.db.begin() as tx:
            await set_password_hash(
                tx, person_id=visit.person.id, password_hash=new_hash, spare=visit.token_hash
            )
        log.info("password changed", person=visit.person.id, source=source)

    def offer_totp(self, visit: Visit, *, again: str = "") -> Offer:
        """A secret for an authenticator app: a new one, or that of an offer that has not expired."""
        email = visit.person.email
        secret = self._unsealed(visit, sealed=again)
        enrolment = (
            enrolment_of(secret, email=email)
            if secret
            else new_enrolment(self._means.ids, email=email)
        )
        text = f"{int(self._means.clock.now().timestamp())} {enrolment.secret}"
        sealed = self._means.box.seal(text.encode(), place=_offer_place(visit))
        return Offer(
            enrolment=enrolment, sealed=again if secret else base64.b64encode(sealed).decode()
        )

    async def turn_on_totp(
        self, visit: Visit, *, sealed: str, code: str, password: str, source: str
    ) -> tuple[str, ...]:
        """Turn on the second factor; returns the recovery codes, which are shown only now.

        Raises Invalid `invalid_input` (wrong password or code, an expired offer), Unavailable
        `rate_limited`.
        """
        means = self._means
        secret = self._unsealed(visit, sealed=sealed)
        if not secret:
            raise Invalid("invalid_input", "This page is too old; start again.", {"field": "code"})
        await self._check(visit, password=password, source=source)
        step = matching_step(secret, code=plain_code(code), now=means.clock.now())
        if step is None:
            message = "That is not the code your app shows now. Is its clock right?"
            raise Invalid("invalid_input", message, {"field": "code"})
        async with means.db.begin() as tx:
            await set_totp(tx, person_id=visit.person.id, secret=secret, step=step, box=means.box)
            codes = await replace_recovery_codes(tx, person_id=visit.person.id, ids=means.ids)
        log.info("second step turned on", person=visit.person.id, source=source)
        return codes

    async def turn_off_totp(self, visit: Visit, *, password: str, source: str) -> None:
        """Turn off the second factor. Raises Invalid `invalid_input`, Unavailable `rate_limited`."""
        await self._check(visit, password=password, source=source)
        async with self._means.db.begin() as tx:
            await clear_totp(tx, person_id=visit.person.id)
        log.warning("second step turned off", person=visit.person.id, source=source)

    async def new_recovery_codes(
        self, visit: Visit, *, password: str, source: str
    ) -> tuple[str, ...]:
        """Replace the recovery codes by ten new ones. Raises as `turn_off_totp`."""
        if not visit.person.has_totp:
            raise Invalid("invalid_input", "Turn on the second step first.")
        await self._check(visit, password=password, source=source)
        async with self._means.db.begin() as tx:
            codes = await replace_recovery_codes(tx, person_id=visit.person.id, ids=self._means.ids)
        log.info("recovery codes replaced", person=visit.person.id, source=source)
        return codes

    async def set_language(self, visit: Visit, *, language: str) -> None:
        """Set the language of the person's pages, '' for that of the browser. Raises Invalid `invalid_input`."""
        async with self._means.db.begin() as tx:
            await set_language(tx, person_id=visit.person.id, language=language)

    async def _check(self, visit: Visit, *, password: str, source: str) -> None:
        means = self._means
        attempt = code_attempt(means.box, person_id=visit.person.id, source=source)
        async with means.db.statement() as tx:
            await begin_attempt(tx, attempt=attempt, limits=means.limits, now=means.clock.now())
            is_right = await has_password(
                tx, person_id=visit.person.id, password=password, hasher=means.hasher
            )
        if not is_right:
            log.warning("password check failed", person=visit.person.id, source=source)
            message = "That is not your present password."
            raise Invalid("invalid_input", message, {"field": "current"})
        async with means.db.begin() as tx:
            await end_attempt(tx, attempt=attempt, now=means.clock.now())

    def _unsealed(self, visit: Visit, *, sealed: str) -> str:
        """The secret of this person's offer, or '' if it is expired or not theirs."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            text = self._means.box.open(raw, place=_offer_place(visit)).decode()
        except (binascii.Error, ValueError, SealBroken, IndexError):
            return ""
        made_at, _, secret = text.partition(" ")
        age_s = int(self._means.clock.now().timestamp()) - int(made_at)
        return secret if timedelta(seconds=age_s) < OFFER_LIFE else ""


def _offer_place(visit: Visit) -> str:
    return f"totp offer:{visit.person.id}"
