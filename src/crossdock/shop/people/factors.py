"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for its loss."""

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
    """A new secret for an authenticator app; `address` is what its QR code says."""

    secret: str
    address: str

    def __repr__(self) -> str:
        return "Enrolment()"


def new_enrolment(ids: Ids, *, email: str) -> Enrolment:
    """A random secret of 160 bits."""
    return enrolment_of(_base32(ids)[:32], email=email)


def enrolment_of(secret: str, *, email: str) -> Enrolment:
    """The same for a secret that was made before."""
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    return Enrolment(secret=secret, address=address)


def matching_step(secret: str, *, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is, of the present one and its neighbours; all are compared."""
    totp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    found = None
    for step in (present + offset for offset in WINDOW):
        if constant_time_equal(totp.generate_otp(step), code):
            found = step
    return found


def is_totp_shaped(code: str) -> bool:
    """Whether the text is a code of an app; anything else can only be a recovery code."""
    return len(code) == 6 and code.isascii() and code.isdigit()


def plain_code(typed: str) -> str:
    """A code as people type it, without spaces and hyphens, in lower case."""
    return "".join(c for c in typed.lower() if not c.isspace() and c != "-")[:64]


async def set_totp(
    tx: Transaction, *, person_id: int, secret: str, step: int, box: SecretBox
) -> None:
    """Ask the person for codes of this secret from now on; the step that proved it is spent."""
    sealed = box.seal(secret.encode(), place=totp_place(person_id))
    await tx.run(
        "update people set totp_sealed = %s, totp_last_step = %s where id = %s",
        (sealed, step, person_id),
    )


async def clear_totp(tx: Transaction, *, person_id: int) -> None:
    """Ask for no codes any more; the recovery codes go too."""
    await tx.run("update people set totp_sealed = null where id = %s", (person_id,))
    await tx.run("delete from recovery_codes where person_id = %s", (person_id,))


async def spend_totp(
    tx: Transaction, *, person_id: int, code: str, box: SecretBox, now: datetime
) -> bool:
    """Whether the code is right and was not used before; then it is used."""
    sealed = await tx.value("select totp_sealed from people where id = %s", (person_id,))
    if sealed is None:
        return False
    secret = box.open(sealed, place=totp_place(person_id)).decode()
    step = matching_step(secret, code=code, now=now)
    return step is not None and bool(await tx.run(_SPEND_STEP, (step, person_id, step)))


async def replace_recovery_codes(tx: Transaction, *, person_id: int, ids: Ids) -> tuple[str, ...]:
    """Ten new codes of 80 bits, shown this once; the old ones are void."""
    codes = tuple(_base32(ids)[:_CODE_LETTERS].lower() for _ in range(RECOVERY_CODES))
    await tx.run("delete from recovery_codes where person_id = %s", (person_id,))
    await tx.run(
        "insert into recovery_codes (person_id, code_hash) select %s, unnest(%s::bytea[])",
        (person_id, _hashes(codes)),
    )
    return tuple(_grouped(code) for code in codes)


async def spend_recovery_code(tx: Transaction, *, person_id: int, code: str, now: datetime) -> bool:
    """Whether the code is one of the person's and unused; then it is used."""
    return bool(await tx.run(_SPEND_CODE, (now, person_id, _hashes([code])[0])))


def totp_place(person_id: int) -> str:
    """Where a sealed secret belongs."""
    return f"totp:{person_id}"


def _hashes(codes: Sequence[str]) -> list[bytes]:
    return [hash_key(f"recovery code {code}") for code in codes]


def _grouped(code: str) -> str:
    return "-".join(code[n : n + _CODE_GROUP] for n in range(0, len(code), _CODE_GROUP))


def _base32(ids: Ids) -> str:
    """160 random bits as base 32, made from a random token."""
    return base64.b32encode(hash_key(ids.random_token(43))[:_SECRET_BYTES]).decode()
