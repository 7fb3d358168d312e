"""Note an act in the transaction that does it.

A door says once who acts (`begin_act`); the first transaction after that which changes anything takes the
note along, whichever part of the core it belongs to. So nothing is done without its note, nothing is noted that was
rolled back, and what only reads is not noted. Partners' calls begin no act and pay nothing.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import WITNESS, Database, Transaction
from crossdock.kit.clock import Clock

_VALUE_MAX: Final = 120
_DETAILS_BYTES_MAX: Final = 64_000
EVERY_FIELD: Final = frozenset({"*"})
"""As `personal`: no value is noted."""
_LEFT_OUT: Final = "…"
_NOT_KEPT: Final = "(not kept)"
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
        """Note what was done by single statements, which are transactions of their own.

        Nobody but who did it knows whether they changed anything.
        """
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


def plain_details(
    values: Mapping[str, object], *, personal: Collection[str] = ()
) -> dict[str, str]:
    """The fields of an act as texts, in their order. Long values are cut; secrets have none, nor `personal` ones.

    Where all of them are too much, the longest are left out, so that nothing crowds out a short one; '…' says
    how many.
    """
    found: dict[str, str] = {}
    for name, value in values.items():
        is_hidden = "*" in personal or name in personal
        if text := _plain(name, value, is_personal=is_hidden):
            found.setdefault(_cut_name(name), text)
    sizes = {name: len(name.encode()) + len(text.encode()) for name, text in found.items()}
    left_out, total = set[str](), sum(sizes.values())
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if total <= _DETAILS_BYTES_MAX:
            break
        total -= sizes[name]
        left_out.add(name)
    kept = {name: text for name, text in found.items() if name not in left_out}
    what = "field" if len(left_out) == 1 else "fields"
    return kept | {_LEFT_OUT: f"{len(left_out)} {what} left out"} if left_out else kept


def _plain(name: str, value: object, *, is_personal: bool) -> str:
    if value is None or value is False or value in ("", ()):
        return ""
    if is_personal:
        return _cut(_names(value))
    if _SECRET.search(name):
        return "(not shown)"
    if isinstance(value, list | tuple):
        return _cut(", ".join(_plain_word(str(each)) for each in value))
    return _cut("yes" if value is True else _plain_word(str(value)))


def _names(value: object) -> str:
    """Of words 'key=value' the keys."""
    words = value if isinstance(value, list | tuple) else ()
    keys = [key[0] for word in words if (key := _WORD_KEY.match(str(word)))]
    return ", ".join(f"{key}{_NOT_KEPT}" for key in keys) or _NOT_KEPT


def _plain_word(text: str) -> str:
    """A value, or a word 'key=value' whose key may name a secret."""
    key = _WORD_KEY.match(text)
    return f"{key[0]}(not shown)" if key and _SECRET.search(key[0]) else text


def _cut_name(name: str) -> str:
    """A field's name; two of them stay two."""
    name = name.replace("\x00", "\ufffd")
    return name if len(name) <= _VALUE_MAX else f"{name[:_VALUE_MAX]}…"


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
