"""Note an act in the transaction that does it.

A door says once who acts (`begin_act`); the first transaction after that which changes anything takes the
note along, whichever part of the core it belongs to. So nothing is done without its note, nothing is noted that was
rolled back, and what only reads is not noted. Partners' calls begin no act and pay nothing.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import WITNESS, Database, Transaction
from crossdock.kit.clock import Clock

_VALUE_MAX: Final = 120
_DETAILS_MAX: Final = 40
# Fields whose values are never kept, whoever adds them: what opens something, and what was bought.
_SECRET: Final = re.compile(
    r"password|secret|token|code|credential|serial|card|cvc|scan|current|\bnew\b|again|sealed|iban|api_key|"
    r"master_key",
    re.IGNORECASE,
)
_WORD_KEY: Final = re.compile(r"[A-Za-z0-9_.]+=")


class Act(msgspec.Struct, kw_only=True):
    """Who does what: `act` is the form's address without numbers, or the command's name.

    `shop_id` None is the shop of the slug `shop`, or else the only one; several shops leave it open.
    """

    actor: str
    act: str
    subject: str
    details: Mapping[str, str]
    clock: Clock
    shop_id: int | None = None
    shop: str = ""
    person_id: int | None = None
    source: str = ""
    is_noted: bool = False

    async def note(self, tx: Transaction) -> bool:
        """Write the note if the transaction changed anything; whether it did."""
        if self.is_noted or not await tx.value(_HAS_WRITTEN):
            return False
        await tx.run(_NOTE, self._values(self.clock.now()))
        return True

    def keep(self) -> None:
        """The transaction with the note is committed."""
        self.is_noted = True

    async def close(self, db: Database) -> None:
        """Note what was done by single statements, which are transactions of their own."""
        if not self.is_noted:
            async with db.statement() as tx:
                await tx.run(_NOTE, self._values(self.clock.now()))
            self.keep()

    def _values(self, now: datetime) -> dict[str, object]:
        return {
            "shop_id": self.shop_id,
            "shop": self.shop,
            "person": self.person_id,
            "actor": self.actor,
            "act": self.act,
            "subject": self.subject[:_VALUE_MAX],
            "details": Jsonb(dict(self.details)),
            "source": self.source,
            "now": now,
        }


def begin_act(act: Act | None) -> None:
    """From here on, this is what is being done; None: nothing that is noted."""
    WITNESS.set(act)


async def close_act(db: Database) -> None:
    """The act is done: note it if no transaction has, because single statements did it."""
    act = WITNESS.get()
    if isinstance(act, Act):
        await act.close(db)


def name_shop(slug: str) -> None:
    """Say whose shop the act is about, where the door could not know."""
    act = WITNESS.get()
    if isinstance(act, Act) and not act.shop:
        act.shop = slug


def plain_details(values: Mapping[str, object]) -> dict[str, str]:
    """The fields of an act as texts, without secrets: their values are left out, and long ones cut."""
    found = {name: _plain(name, value) for name, value in list(values.items())[:_DETAILS_MAX]}
    return {name: text for name, text in found.items() if text}


def _plain(name: str, value: object) -> str:
    if value is None or value is False or value in ("", ()):
        return ""
    if _SECRET.search(name):
        return "(not shown)"
    if isinstance(value, list | tuple):
        return _cut(", ".join(_plain_word(str(each)) for each in value))
    return _cut("yes" if value is True else _plain_word(str(value)))


def _plain_word(text: str) -> str:
    """A value, or a word 'key=value' whose key may name a secret."""
    key = _WORD_KEY.match(text)
    return f"{key[0]}(not shown)" if key and _SECRET.search(key[0]) else text


def _cut(text: str) -> str:
    words = " ".join(text.replace("\x00", "").split())
    return words if len(words) <= _VALUE_MAX else f"{words[:_VALUE_MAX]}…"


_HAS_WRITTEN: Final = "select pg_current_xact_id_if_assigned() is not null"
_NOTE: Final = """
    insert into acts (shop_id, person_id, actor, act, subject, details, source, done_at)
    select coalesce(%(shop_id)s, (select id from shops where slug = %(shop)s),
                    (select min(id) from shops having count(*) = 1)),
           %(person)s, %(actor)s, %(act)s, %(subject)s, %(details)s, %(source)s, %(now)s
"""
