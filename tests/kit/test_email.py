"""A text is an e-mail address or it is not."""

import pytest

from crossdock.kit.email import is_email


@pytest.mark.parametrize(
    "text",
    [
        "lotte@example.be",
        "o'neil+shop@mail.example",
        "a@b",
        "ops@localhost",
        "ops@warehouse.local",
        "buyer@shop.test",
        "jürgen@exämple.de",
        '"two words"@example.com',
        "root@[192.0.2.1]",
        f"{'x' * 64}@example.com",
    ],
)
def test_takes_every_form_that_mail_can_go_to(text):
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lotte",
        "@b.c",
        "a@",
        "a @b.c",
        " a@b.c",
        "a@b.c\n",
        "a@b.c\r\nBcc: x@y.z",
        "a@b@c.d",
        "Ann <a@b.c>",
        "a..b@example.com",
        "a@-b.example",
        "a@b..c",
        f"{'x' * 65}@example.com",
        f"a@{'b.' * 130}c",
        "a\x00@b.c",
    ],
)
def test_refuses_what_is_none(text):
    assert not is_email(text)
