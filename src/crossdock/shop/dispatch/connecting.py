"""Make connectors from rows of `connectors`."""

import hashlib
from typing import Any, cast

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, SealBroken
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.outbound import Outbound, Refused
from crossdock.kit.webhooks import secret_bytes
from crossdock.shop.dispatch.contract import Connector
from crossdock.shop.dispatch.manual import ManualConnector, ManualSettings
from crossdock.shop.dispatch.sellercloud import SellercloudConnector, SellercloudSettings
from crossdock.shop.dispatch.webhook import WebhookConnector, WebhookSettings

KINDS: dict[str, type[msgspec.Struct]] = {
    "manual": ManualSettings,
    "webhook": WebhookSettings,
    "sellercloud": SellercloudSettings,
}


class Connectors:
    """Makes connectors and caches each, with its access token, until its row changes."""

    def __init__(self, *, outbound: Outbound, box: SecretBox, clock: Clock) -> None:
        self._outbound = outbound
        self._box = box
        self._clock = clock
        self._open: dict[tuple[int, str], tuple[bytes, Connector]] = {}

    async def read(self, tx: Transaction, *, shop_id: int, name: str) -> Connector:
        """The shop's connector of this name.

        Raises NotFound `not_found` when there is none or it is disabled, Invalid `invalid_input`
        when its settings cannot be used.
        """
        row = await tx.one(
            "select kind, settings, sealed_secret from connectors"
            " where shop_id = %s and name = %s and enabled",
            (shop_id, name),
        )
        if row is None:
            raise NotFound("not_found", f"There is no enabled connector {name!r}.")
        mark = hashlib.sha256(msgspec.json.encode(row)).digest()
        known = self._open.get((shop_id, name))
        if known is None or known[0] != mark:
            known = mark, self._make(row, place=secret_place(shop_id, name))
            self._open[shop_id, name] = known
        return known[1]

    def _make(self, row: tuple[Any, ...], *, place: str) -> Connector:
        kind, settings, sealed = row
        try:
            secret = self._box.open(sealed, place=place).decode() if sealed else ""
        except SealBroken as error:
            raise Invalid(
                "invalid_input", f"The connector's secret cannot be opened: {error}."
            ) from error
        return make_connector(
            kind, settings, secret=secret, outbound=self._outbound, clock=self._clock
        )


def make_connector(
    kind: str, settings: dict[str, Any], *, secret: str, outbound: Outbound, clock: Clock
) -> Connector:
    """A connector of one of KINDS. Raises Invalid `invalid_input` naming what is missing or wrong."""
    match _typed(kind, settings):
        case WebhookSettings() as target:
            return WebhookConnector(target, secret=secret, outbound=outbound, clock=clock)
        case SellercloudSettings() as account:
            return SellercloudConnector(account, secret=secret, outbound=outbound, clock=clock)
        case _:
            return ManualConnector()


def check_settings(kind: str, settings: dict[str, Any], *, outbound: Outbound) -> dict[str, Any]:
    """The settings with their types ('7' is accepted for a number), without those that equal the default.

    Raises Invalid `invalid_input` naming what is missing or wrong, including an address that
    outgoing calls may not reach.
    """
    typed = _typed(kind, settings)
    try:
        match typed:
            case WebhookSettings():
                outbound.check(typed.url)
            case SellercloudSettings():
                outbound.check(typed.base_url)
    except Refused as error:
        raise Invalid("invalid_input", f"The connector's address: {error}.") from error
    return cast(dict[str, Any], msgspec.to_builtins(typed))


def _typed(kind: str, settings: dict[str, Any]) -> msgspec.Struct:
    if kind not in KINDS:
        raise Invalid("invalid_input", f"A connector is one of {', '.join(KINDS)}.")
    try:
        return msgspec.convert(settings, KINDS[kind], strict=False)
    except msgspec.ValidationError as error:
        raise Invalid("invalid_input", f"The connector's settings: {error}.") from error


def check_secret(kind: str, secret: str) -> None:
    """Raises Invalid `invalid_input` when a connector of this kind cannot work with the secret."""
    if kind == "webhook":
        secret_bytes(secret)
    elif kind == "sellercloud" and not secret:
        raise Invalid(
            "invalid_input", "A sellercloud connector needs the user's password as its secret."
        )


def secret_place(shop_id: int, name: str) -> str:
    """The place that a connector's secret is sealed for; it can be opened only there."""
    return f"connector:{shop_id}:{name}"
