"""Sign in, check sessions, sign out. The caller carries the session's token, such as in a cookie."""

import structlog

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Refused, SealBroken
from crossdock.kit.crypto import constant_time_equal
from crossdock.shop.people.account import Account
from crossdock.shop.people.attempts import (
    Attempt,
    begin_attempt,
    code_attempt,
    end_attempt,
    password_attempt,
)
from crossdock.shop.people.factors import (
    is_totp_shaped,
    plain_code,
    spend_recovery_code,
    spend_totp,
)
from crossdock.shop.people.managing import MAY_ENTER, normal_email
from crossdock.shop.people.means import Means
from crossdock.shop.people.model import NewSession, Person, Principal, Visit
from crossdock.shop.people.passwords import check_password
from crossdock.shop.people.roles import Right
from crossdock.shop.people.sessions import (
    Lifetimes,
    close_session,
    complete_session,
    is_token,
    new_token,
    open_session,
    read_session,
)

log = structlog.get_logger("crossdock.people")

WRONG_PAIR = "The e-mail or the password is wrong."
WRONG_CODE = "This code is wrong, or it was used before."
NEEDS_CODE = "This account needs the code of its authenticator app."

_KNOWN = f"select p.id, p.password_hash from people p where lower(p.email) = %s and {MAY_ENTER}"
# Only if the password hash is unchanged: a concurrent reset or disabling wins.
_ENTER = f"""
update people p set password_hash = %s, last_seen_at = %s
where p.id = %s and p.password_hash = %s and {MAY_ENTER}
returning p.kind, p.totp_sealed is not null
"""


class People:
    """Authenticates people. `account` has the changes to their own account."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.account = Account(means)

    @property
    def lives(self) -> Lifetimes:
        """How long sessions live."""
        return self._means.lives

    async def sign_in(
        self, *, email: str, password: str, source: str, replaces: str = ""
    ) -> NewSession | None:
        """Open a session for e-mail and password; None for a wrong pair.

        Known and unknown e-mails take the same time. `source` is the caller's network address.
        The session with the token `replaces` is ended.
        Raises Unavailable `rate_limited` with `retry_after_s` after too many failures.
        """
        means, wanted = self._means, normal_email(email)
        attempt = password_attempt(means.box, email=wanted, source=source)
        await self._begin(attempt, source=source)
        async with means.db.statement() as tx:
            known = await tx.one(_KNOWN, (wanted,)) if wanted else None
        person_id, known_hash = known or (None, None)
        is_right = await means.hasher.verify(password, known=known_hash)
        made = None
        if is_right and person_id is not None:
            new_hash = await self._renewed(password, known=known_hash)
            async with means.db.begin() as tx:
                now = means.clock.now()
                entered = await tx.one(_ENTER, (new_hash, now, person_id, known_hash))
                if entered:
                    await end_attempt(tx, attempt=attempt, now=now)
                    if replaces:
                        await close_session(tx, token=replaces)
                    made = await self._open(
                        tx,
                        principal=entered[0],
                        person_id=person_id,
                        is_complete=not entered[1],
                    )
        self._note(made, person_id=person_id, email=wanted, source=source)
        return made

    async def sign_in_at_once(
        self, *, email: str, password: str, code: str, source: str
    ) -> NewSession:
        """Sign in with everything that the account asks for, in one step; the session is complete.

        Raises Invalid `invalid_input` with the `field`, `password` or `code`, that is wrong, and
        Unavailable `rate_limited`; no session is left then.
        """
        made = await self.sign_in(email=email, password=password, source=source)
        if made is None:
            raise Invalid("invalid_input", WRONG_PAIR, {"field": "password"})
        if made.is_complete:
            return made
        begun = await self.visit(token=made.token) if code else None
        try:
            done = begun and await self.enter_code(begun, code=code, source=source)
        finally:
            await self.sign_out(token=made.token)  # a complete session has another token
        if not done:
            raise Invalid("invalid_input", WRONG_CODE if code else NEEDS_CODE, {"field": "code"})
        return done

    async def enter_code(self, visit: Visit, *, code: str, source: str) -> NewSession | None:
        """Complete a session with a code of the app or a recovery code.

        Returns None for a wrong or used code, or if the session ended meanwhile. Raises Unavailable
        `rate_limited`.
        """
        means, person_id = self._means, visit.person.id
        attempt = code_attempt(means.box, person_id=person_id, source=source)
        await self._begin(attempt, source=source)
        async with means.db.begin() as tx:
            now = means.clock.now()
            kind = await self._spend(tx, person_id=person_id, code=plain_code(code))
            token = kind and await complete_session(
                tx, token_hash=visit.token_hash, lives=means.lives, ids=means.ids, now=now
            )
            if token:
                await end_attempt(tx, attempt=attempt, now=now)
        if not token:
            log.warning("second step failed", person=person_id, source=source)
            return None
        log.info("signed in", person=person_id, source=source, second_step=kind)
        return NewSession(token=token, is_complete=True)

    async def sign_out(self, *, token: str) -> None:
        """End the session of a token; an unknown token is ignored."""
        async with self._means.db.begin() as tx:
            await close_session(tx, token=token)

    async def hash_new(self, password: str, *, email: str) -> str:
        """The hash of a password that somebody chose. Raises Invalid `invalid_input` for a weak one."""
        check_password(password, email=email)
        return await self._means.hasher.hash(password)

    async def unguessable_hash(self) -> str:
        """The hash of a password that nobody knows, for who is to choose one by a link."""
        return await self._means.hasher.hash(new_token(self._means.ids))

    async def open(self, tx: Transaction, *, person: Person) -> NewSession:
        """Open a complete session of a person who was added in this transaction."""
        return await self._open(
            tx, principal=person.principal, person_id=person.id, is_complete=True
        )

    async def visit(self, *, token: str, is_used: bool = True) -> Visit | None:
        """The live session of a token, with or without the second factor, or None.

        With `is_used` false nobody did anything: the session ends as if this call had not been.
        """
        if not is_token(token):
            return None
        async with self._means.db.statement() as tx:
            return await read_session(
                tx,
                token=token,
                lives=self._means.lives,
                now=self._means.clock.now(),
                is_used=is_used,
            )

    async def admit(
        self,
        *,
        token: str,
        right: Right | None = None,
        is_used: bool = True,
        known: Visit | None = None,
    ) -> Visit | None:
        """The visit of a completely signed-in person, or None; `is_used` as in `visit`.

        `known` is what `visit` told of this token a moment ago.

        Raises Refused `permission_denied` if the person's role does not include `right`.
        """
        visit = known or await self.visit(token=token, is_used=is_used)
        if visit is None or not visit.is_complete:
            return None
        if right and not visit.person.may(right):
            log.warning("page refused", person=visit.person.id, right=right)
            raise Refused(
                "permission_denied",
                f"Your role, {visit.person.role}, does not include this.",
                {"right": right},
            )
        return visit

    def check_form(self, visit: Visit, *, form_token: str) -> None:
        """Raise Refused `permission_denied` unless a form carries the session's own token."""
        if not constant_time_equal(visit.form_token, form_token):
            log.warning("form refused", person=visit.person.id)
            raise Refused("permission_denied", "This form is too old. Open the page again.")

    def new_form_token(self) -> str:
        """A token for a form that is shown before there is a session."""
        return new_token(self._means.ids)

    async def _begin(self, attempt: Attempt, *, source: str) -> None:
        means = self._means
        try:
            async with means.db.statement() as tx:
                await begin_attempt(tx, attempt=attempt, limits=means.limits, now=means.clock.now())
        except Exception as error:
            if getattr(error, "code", "") == "rate_limited":
                log.warning("sign-in held back", source=source)
            raise

    async def _spend(self, tx: Transaction, *, person_id: int, code: str) -> str:
        """Spend the code; returns its kind, '' for a wrong one."""
        if is_totp_shaped(code):
            return "app" if await self._spend_totp(tx, person_id=person_id, code=code) else ""
        now = self._means.clock.now()
        is_right = await spend_recovery_code(tx, person_id=person_id, code=code, now=now)
        return "recovery" if is_right else ""

    async def _spend_totp(self, tx: Transaction, *, person_id: int, code: str) -> bool:
        box, now = self._means.box, self._means.clock.now()
        try:
            return await spend_totp(tx, person_id=person_id, code=code, box=box, now=now)
        except SealBroken as error:
            log.critical("second step cannot be checked", person=person_id, reason=str(error))
            message = "Codes of your app cannot be checked here now. Use a recovery code."
            raise Invalid("invalid_input", message) from error

    async def _renewed(self, password: str, *, known: str) -> str:
        """The hash, recomputed if its parameters are outdated."""
        if not self._means.hasher.is_outdated(known):
            return known
        return await self._means.hasher.hash(password)

    def _note(
        self, made: NewSession | None, *, person_id: int | None, email: str, source: str
    ) -> None:
        if made is None:
            log.warning("sign-in failed", person=person_id, email=_masked(email), source=source)
        else:
            step = "signed in" if made.is_complete else "first step passed"
            log.info(step, person=person_id, source=source)

    async def _open(
        self, tx: Transaction, *, principal: Principal, person_id: int, is_complete: bool
    ) -> NewSession:
        means = self._means
        token = await open_session(
            tx,
            principal=principal,
            person_id=person_id,
            is_complete=is_complete,
            lives=means.lives,
            ids=means.ids,
            now=means.clock.now(),
        )
        return NewSession(token=token, is_complete=is_complete)


def _masked(email: str) -> str:
    """A shortened address for the log: `a…@shop.example`."""
    local, at, domain = email.partition("@")
    return f"{local[:1]}…{at}{domain}" if email else "malformed"
