"""Terms as an operator writes them."""

import msgspec
import pytest

from crossdock.errors import Invalid, NotFound
from crossdock.kit.ids import SeededIds
from crossdock.kit.outbound import Outbound
from crossdock.kit.webhooks import new_secret
from crossdock.shop.partners import (
    ANY_TEXT,
    HTTPS_ORIGINS,
    HTTPS_URL,
    JSON_OBJECT,
    SECRET_TEXT,
    WEBHOOK_SECRET,
    Terms,
    Wording,
    is_secret,
    read_called,
    read_terms,
    set_terms,
    split_words,
)
from crossdock.shop.pricing import add_price_list
from crossdock.shop.shops import read_shop
from tests.support.factories import box, make_customer, make_merchant, make_partner, make_shop

PERMISSIONS = ("products.read", "orders.create")


@pytest.fixture
async def wording(tx):
    fixture = await make_shop(tx)
    await make_merchant(tx, shop_id=fixture.id, slug="north")
    return Wording(shop=await read_shop(tx, slug=fixture.slug), permissions=PERMISSIONS)


async def read(tx, wording, *words):
    return await read_terms(tx, wording=wording, words=split_words(words))


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("backorder=yes", Terms(backorder=True)),
        ("backorder=FALSE", Terms(backorder=False)),
        ("active=off", Terms(active=False)),
        ("min_amount=100.00", Terms(min_amount_minor=10_000)),
        ("max_amount=5", Terms(max_amount_minor=500)),
        ("min_amount_minor=99", Terms(min_amount_minor=99)),
        ("max_amount=none", Terms(max_amount_minor=None)),
        ("permissions=orders.create", Terms(permissions=("orders.create",))),
        ("permissions=all", Terms(permissions=PERMISSIONS)),
        ("permissions=none", Terms(permissions=())),
        ("visible_merchants=all", Terms(visible_merchants=None)),
        ("visible_merchants=", Terms(visible_merchants=())),
        ("customer=none", Terms(customer_id=None)),
        ("price_list=none", Terms(price_list_id=None)),
        ("rate_limit_per_minute=0", Terms(settings={"rate_limit_per_minute": 0})),
        ("rate_limit_per_minute=none", Terms(settings={"rate_limit_per_minute": None})),
        ("rate_limit_per_minute=1000000", Terms(settings={"rate_limit_per_minute": 1_000_000})),
        ("max_amount_minor=1000000000000000", Terms(max_amount_minor=10**15)),
    ],
)
async def test_reads_a_word(tx, wording, word, terms):
    assert await read(tx, wording, word) == terms


async def test_finds_a_customer_by_email_and_number(tx, wording):
    customer_id = await make_customer(tx, shop_id=wording.shop.id, email="kim@north.example")
    expected = Terms(customer_id=customer_id)
    assert await read(tx, wording, "customer=Kim@North.example") == expected
    assert await read(tx, wording, f"customer={customer_id}") == expected
    assert await read(tx, wording, f"customer_id={customer_id}") == expected


async def test_finds_merchants_by_slug_and_number(tx, wording):
    north = await tx.value(
        "select id from merchants where shop_id = %s and slug = 'north'", (wording.shop.id,)
    )
    assert await read(tx, wording, "visible_merchants=north") == Terms(visible_merchants=(north,))
    assert await read(tx, wording, f"visible_merchants={north}") == Terms(
        visible_merchants=(north,)
    )


async def test_finds_a_price_list_by_name(tx, wording):
    list_id = await add_price_list(tx, shop_id=wording.shop.id, name="Gold")
    assert await read(tx, wording, "price_list=Gold") == Terms(price_list_id=list_id)


async def test_does_not_see_another_shop(tx, wording):
    other = await make_shop(tx)
    with pytest.raises(NotFound):
        await read(tx, wording, f"customer={other.customer_id}")
    with pytest.raises(NotFound):
        await read(tx, wording, f"visible_merchants={other.merchant_id}")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("backorders=yes", "Did you mean backorder?"),
        ("rate_limit_per_minute=1000001", "not a whole number from 0 to 1000000"),
        ("max_amount_minor=1000000000000001", "not a whole number from 0 to 1000000000000000"),
        ("colour=red", "Known are customer, permissions"),
        ("backorder", "not of the form key=value"),
        ("backorder=maybe", "backorder: 'maybe' is not yes or no"),
        ("permissions=orders.delete", "choose from products.read, orders.create"),
        ("min_amount=ten", "min_amount: 'ten' is not an amount"),
        ("min_amount=-1", "is below zero"),
        ("min_amount=1.001", "more decimals than USD knows"),
        ("min_amount_minor=1.5", "not a whole number"),
        ("rate_limit_per_minute=-1", "not a whole number"),
    ],
)
async def test_refuses_a_word_and_says_why(tx, wording, word, told):
    with pytest.raises(Invalid) as refused:
        await read(tx, wording, word)
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("customer=nobody@x.example", "crossdock customer list"),
        ("visible_merchants=south", "choose from main, north"),
        ("price_list=Gold", "choose from none"),
    ],
)
async def test_says_what_there_is_instead(tx, wording, word, told):
    with pytest.raises(NotFound) as refused:
        await read(tx, wording, word)
    assert told in refused.value.message


async def test_refuses_a_least_amount_above_the_most(tx, wording):
    with pytest.raises(Invalid):
        await read(tx, wording, "min_amount=2", "max_amount=1")


@pytest.mark.parametrize(
    ("word", "stored"),
    [
        ("express=yes", True),
        ("express=ON", True),
        ("express=0", False),
        ("express=none", None),
        ("size=Big", "big"),
        ("size=yes", "yes"),
        ("size=no", "no"),
        ("extra={}", {}),
        ('extra={"a": [1]}', {"a": [1]}),
    ],
)
async def test_a_channel_s_setting_may_be_one_of_its_values(tx, wording, word, stored):
    known = {"express": ("yes", "no"), "size": ("big", "yes", "no"), "extra": (JSON_OBJECT,)}
    wording = msgspec.structs.replace(wording, settings=known)

    assert await read(tx, wording, word) == Terms(settings={word.partition("=")[0]: stored})


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("express=maybe", "express: 'maybe' is not allowed; choose from yes, no."),
        ("size=small", "size: 'small' is not allowed; choose from big, yes, no."),
        ("size=on", "size: 'on' is not allowed; choose from big, yes, no."),
        ("extra=[]", "extra: '[]' is not a JSON object."),
        ("extra=" + "x" * 50, f"extra: '{'x' * 40}' is not a JSON object."),
    ],
)
async def test_a_channel_s_setting_is_nothing_else(tx, wording, word, told):
    known = {"express": ("yes", "no"), "size": ("big", "yes", "no"), "extra": (JSON_OBJECT,)}
    wording = msgspec.structs.replace(wording, settings=known)

    with pytest.raises(Invalid) as refused:
        await read(tx, wording, word)

    assert refused.value.message == told


async def test_several_settings_are_kept_together(tx, wording):
    known = {"express": ("yes", "no"), "token": (SECRET_TEXT,), "signing": (SECRET_TEXT,)}
    wording = msgspec.structs.replace(wording, settings=known)

    found = await read(tx, wording, "express=no", "token=a", "signing=b", "rate_limit_per_minute=9")

    assert found == Terms(
        settings={"express": False, "rate_limit_per_minute": 9},
        secrets={"token": "a", "signing": "b"},
    )


def test_a_setting_is_a_secret_by_what_it_may_hold():
    assert is_secret((SECRET_TEXT,))
    assert is_secret((WEBHOOK_SECRET,))
    assert not is_secret((ANY_TEXT,))
    assert not is_secret(("yes", "no"))


async def test_a_channel_s_setting_may_be_any_short_text(tx, wording):
    wording = msgspec.structs.replace(wording, settings={"domain": (ANY_TEXT,)})

    assert await read(tx, wording, "domain=Blog.Example ") == Terms(
        settings={"domain": "Blog.Example"}
    )
    assert await read(tx, wording, "domain=none") == Terms(settings={"domain": None})
    for wrong in ("a" * 201, "two\nlines"):
        with pytest.raises(Invalid):
            await read(tx, wording, f"domain={wrong}")


async def test_a_channel_s_setting_may_be_a_list_of_origins(tx, wording):
    wording = msgspec.structs.replace(wording, settings={"origins": (HTTPS_ORIGINS,)})

    found = await read(
        tx, wording, "origins=https://A.example/ https://b.example:8443,https://a.example"
    )

    assert found == Terms(settings={"origins": "https://a.example https://b.example:8443"})
    assert await read(tx, wording, "origins=none") == Terms(settings={"origins": None})
    for wrong in (
        ",",
        "a.example",
        "http://a.example",
        "https://a.example/cart",
        "https://*.example",
    ):
        with pytest.raises(Invalid) as refused:
            await read(tx, wording, f"origins={wrong}")
        assert "each is https:// and a host" in refused.value.message


async def test_a_channel_s_setting_may_be_an_address_that_is_called(tx, wording):
    outbound = Outbound(allowed_hosts=["127.0.0.1:9", "intranet"])
    wording = msgspec.structs.replace(wording, settings={"url": (HTTPS_URL,)}, outbound=outbound)

    for right in (
        "https://a.example/in?shop=1",
        "https://a.example:8443/",
        "http://127.0.0.1:9/in",
        "http://intranet:81/in",
        "https://intranet/in",
    ):
        assert await read(tx, wording, f"url={right}") == Terms(settings={"url": right})
    assert await read(tx, wording, "url=none") == Terms(settings={"url": None})
    for wrong in (
        "http://a.example/in",
        "ftp://a.example/in",
        "a.example/in",
        "https://user:word@a.example/in",
        "https://a.example:22/in",
        "https://127.0.0.1/in",
        "https://10.0.0.1/in",
        "https://169.254.169.254/in",
        "https://[::1]/in",
        "https://2130706433/in",
        "https://a.example/in#part",
        "https://a.example/with blank",
        "https://a.example/" + "x" * 2_000,
    ):
        with pytest.raises(Invalid) as refused:
            await read(tx, wording, f"url={wrong}")
        assert refused.value.message.startswith("url: ")
    await outbound.close()


async def test_a_channel_s_setting_may_be_a_secret_that_nobody_reads_back(tx, wording):
    signing = new_secret(SeededIds(1))
    wording = msgspec.structs.replace(
        wording, settings={"token": (SECRET_TEXT,), "signing": (WEBHOOK_SECRET,)}
    )
    partner = await make_partner(tx, shop=await make_shop(tx))

    terms = await read(tx, wording, "token=their:s/ecret", f"signing={signing}")
    await set_terms(tx, partner_id=partner.id, terms=terms, box=box())
    gone = await read(tx, wording, "signing=none")
    await set_terms(tx, partner_id=partner.id, terms=gone, box=box())
    called = await read_called(tx, shop_id=partner.shop_id, partner_id=partner.id, box=box())

    assert terms.secrets == {"token": "their:s/ecret", "signing": signing}
    assert called.secrets == {"token": "their:s/ecret"}
    assert "their" not in repr(terms) + repr(called)
    stored = await tx.all(
        "select partner_secrets::text, partners::text from partner_secrets, partners"
    )
    assert "their" not in str(stored)
    for wrong in ("token=two words", "token=\u00e4", "token=" + "x" * 1_001, "signing=whsec_short"):
        with pytest.raises(Invalid):
            await read(tx, wording, wrong)


async def test_what_is_needed_to_call_a_partner_is_not_found_elsewhere(tx):
    partner, elsewhere = await make_partner(tx, shop=await make_shop(tx)), await make_shop(tx)

    for shop_id, partner_id in ((elsewhere.id, partner.id), (partner.shop_id, 0)):
        with pytest.raises(NotFound):
            await read_called(tx, shop_id=shop_id, partner_id=partner_id, box=box())
