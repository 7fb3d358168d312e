"""Passwords: which are refused, and how the good ones are kept."""

import pytest
from argon2 import PasswordHasher

from crossdock.errors import Invalid
from crossdock.kit.passwords import Hasher
from crossdock.shop.people import check_password

EMAIL = "lovelace@shop.example"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "12 to 256"),
        ("eleven char", "12 to 256"),
        ("x" * 257, "12 to 256"),
        ("lovelace@shop.example", "too close to the e-mail"),
        ("LOVELACE@shop.example", "too close to the e-mail"),
        ("Lovelace1815", "too close to the e-mail"),
        ("password1234", "commonest"),
        ("P@ssw0rd2026!", "commonest"),
        ("Correct Horse Battery Staple", "commonest"),
        ("CrossDock-2026!!", "commonest"),
        ("aaaabbbbaaaac", "simple pattern"),
        ("abc123abc123", "simple pattern"),
        ("qwertyuiop12345", "commonest"),
        ("asdfghjkl987654", "simple pattern"),
        ("zyxwvutsrqponm", "simple pattern"),
        ("123456789012", "simple pattern"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused_with_the_reason(password, reason):
    with pytest.raises(Invalid, match=reason) as caught:
        check_password(password, email=EMAIL)

    assert caught.value.data == {"field": "password"}
    assert not password or password not in caught.value.message


@pytest.mark.parametrize(
    "password",
    [
        "quiet harbour, nine boats",
        "zes stille boten 9",
        "пароль из пяти слов",
        "🛶🚤⛵🚢🛳️ lake pier",
        "a" * 4 + "bcdX9" * 50,
        "dH8TyzXK2M4nelsN7J8h",
        "xlovelacexx and more words",
    ],
)
def test_a_long_password_of_any_characters_is_taken(password):
    check_password(password, email=EMAIL)


def test_a_short_local_part_forbids_nothing():
    check_password("many adas walk here", email="ada@shop.example")


async def test_a_hash_is_argon2id_with_at_least_the_parameters_of_rfc_9106():
    made = await Hasher().hash("quiet harbour, nine boats")

    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_password_is_found_again_however_its_accents_are_spelled():
    hasher = Hasher()
    made = await hasher.hash("café au bord de l\u2019eau")

    assert await hasher.verify("cafe\u0301 au bord de l\u2019eau", known=made)
    assert not await hasher.verify("cafe au bord de l\u2019eau", known=made)


async def test_nobody_has_no_password_at_all():
    hasher = Hasher()

    assert not await hasher.verify("the same work for nobody", known=None)
    assert not await hasher.verify("anything", known="not a hash")


def test_a_hash_of_weaker_parameters_is_outdated():
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x")

    assert Hasher().is_outdated(weak)
