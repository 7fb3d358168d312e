"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

import base64
from collections.abc import Sequence
from datetime import datetime

import msgspec
import pyotp

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import SecretBox, constant_time_equal, hash_key
from crossdock.kit.ids import Ids

ISSUER = "Crossdock"
STEP_S = 30
WINDOW = (-1, 0, 1)
RECOVERY_CODES = 10
_SECRET_BYTES = 20
_CODE_LETTERS = 16
_CODE_GROUP = 4

_SPEND_STEP = "update people set totp_last_step = %s where id = %s and totp_last_step < %s"
_SPEND_CODE = """
update recovery_codes set used_at = %s where person_id = %s and code_hash = %s and used_at is null
"""


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A new secret for an authenticator app; `address` is the content of its QR code."""

    secret: str
    address: str

    def __repr__(self) -> str:
        return "Enrolment()"


def new_enrolment(ids: Ids, *, email: str) -> Enrolment:
    """A random secret of 160 bits."""
    return enrolment_of(_base32(ids)[:32], email=email)


def enrolment_of(secret: str, *, email: str) -> Enrolment:
    """The enrolment for an existing secret."""
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    return Enrolment(secret=secret, address=address)


def matching_step(secret: str, *, code: str, now: datetime) -> int | None:
    """The 30-second step with this code: the current one or its neighbours; compares with all three."""
    totp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    found = None
    for step in (present + offset for offset in WINDOW):
        if constant_time_equal(totp.generate_otp(step), code):
            found = step
    return found


def is_totp_shaped(code: str) -> bool:
    """Whether the text has the format of an app's code; anything else can only be a recovery code."""
    return len(code) == 6 and code.isascii() and code.isdigit()


def plain_code(typed: str) -> str:
    """Normalise a typed code: no spaces and hyphens, lower case."""
    return "".join(c for c in typed.lower() if not c.isspace() and c != "-")[:64]


async def set_totp(
    tx: Transaction, *, person_id: int, secret: str, step: int, box: SecretBox
) -> None:
    """Require codes of this secret from now on; the code of `step` is spent."""
    sealed = box.seal(secret.encode(), place=totp_place(person_id))
    await tx.run(
        "update people set totp_sealed = %s, totp_last_step = %s where id = %s",
        (sealed, step, person_id),
    )


async def clear_totp(tx: Transaction, *, person_id: int) -> None:
    """Turn off the second factor and delete the recovery codes."""
    await tx.run("update people set totp_sealed = null where id = %s", (person_id,))
    await tx.run("delete from recovery_codes where person_id = %s", (person_id,))


async def spend_totp(
    tx: Transaction, *, person_id: int, code: str, box: SecretBox, now: datetime
) -> bool:
    """Spend the code; returns whether it is right and was not used before."""
    sealed = await tx.value("select totp_sealed from people where id = %s", (person_id,))
    if sealed is None:
        return False
    secret = box.open(sealed, place=totp_place(person_id)).decode()
    step = matching_step(secret, code=code, now=now)
    return step is not None and bool(await tx.run(_SPEND_STEP, (step, person_id, step)))


async def replace_recovery_codes(tx: Transaction, *, person_id: int, ids: Ids) -> tuple[str, ...]:
    """Replace the recovery codes by ten new ones of 80 bits, which are shown only now."""
    codes = tuple(_base32(ids)[:_CODE_LETTERS].lower() for _ in range(RECOVERY_CODES))
    await tx.run("delete from recovery_codes where person_id = %s", (person_id,))
    await tx.run(
        "insert into recovery_codes (person_id, code_hash) select %s, unnest(%s::bytea[])",
        (person_id, _hashes(codes)),
    )
    return tuple(_grouped(code) for code in codes)


async def spend_recovery_code(tx: Transaction, *, person_id: int, code: str, now: datetime) -> bool:
    """Spend the recovery code; returns whether it is the person's and was not used before."""
    return bool(await tx.run(_SPEND_CODE, (now, person_id, _hashes([code])[0])))


def totp_place(person_id: int) -> str:
    """The place that a sealed TOTP secret is bound to."""
    return f"totp:{person_id}"


def _hashes(codes: Sequence[str]) -> list[bytes]:
    return [hash_key(f"recovery code {code}") for code in codes]


def _grouped(code: str) -> str:
    return "-".join(code[n : n + _CODE_GROUP] for n in range(0, len(code), _CODE_GROUP))


def _base32(ids: Ids) -> str:
    """160 random bits as base 32, made from a random token."""
    return base64.b32encode(hash_key(ids.random_token(43))[:_SECRET_BYTES]).decode()
