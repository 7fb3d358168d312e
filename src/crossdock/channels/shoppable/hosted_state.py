"""What a page of the hosted checkout hands to the next: sealed, so that nobody reads or changes it."""

import base64
import binascii
from typing import TypeVar

import msgspec

from crossdock.errors import Refused, SealBroken
from crossdock.kit.crypto import SecretBox

FORM_S = 30 * 60
RECEIPT_S = 60 * 60
_FORM_PLACE = "shoppable checkout form"
_RECEIPT_PLACE = "shoppable checkout receipt"


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """The publisher's addresses as the link to the page gave them; where none may be used it is ''."""

    publisher_checkout: str = ""
    return_to_site: str = ""
    order_complete: str = ""


class FormState(msgspec.Struct, frozen=True, kw_only=True):
    """What a form of the page is bound to: the cart, who sells it, and what the shopper was shown.

    `shown` has price and quantity of each variant, quantity 0 for one that is sold out.
    `delivery` are the fields of the first step; `total_minor` is what the shopper agrees to pay.
    Its repr hides the token.
    """

    token: str
    cart_id: str
    opened_at: int
    campaign: str = ""
    may_be_framed: bool = True
    links: Links = Links()
    shown: dict[int, tuple[int, int]] = {}
    delivery: dict[str, str] = {}
    total_minor: int = 0

    def __repr__(self) -> str:
        return f"FormState(cart_id={self.cart_id})"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """An order whose confirmation is shown. The links are those that the partner's settings allow."""

    shop_id: int
    partner_id: int
    partner_name: str
    order_id: int
    made_at: int
    cart_id: str
    framed_by: tuple[str, ...] = ()
    links: Links = Links()


_Kept = TypeVar("_Kept", FormState, Receipt)


class Sealing:
    """Seals forms and receipts as texts for a field or an address."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def form(self, state: FormState) -> str:
        """The text of a form's hidden field."""
        return self._seal(state, place=_FORM_PLACE)

    def open_form(self, text: str) -> FormState:
        """What `form` sealed.

        Raises Refused `permission_denied` for every other text, `credential_stale` for a form that
        another version sealed.
        """
        return self._open(text, kind=FormState, place=_FORM_PLACE)

    def receipt(self, receipt: Receipt) -> str:
        """The text in the address of a confirmation."""
        return self._seal(receipt, place=_RECEIPT_PLACE)

    def open_receipt(self, text: str) -> Receipt:
        """What `receipt` sealed. Raises like `open_form`."""
        return self._open(text, kind=Receipt, place=_RECEIPT_PLACE)

    def _seal(self, kept: FormState | Receipt, *, place: str) -> str:
        sealed = self._box.seal(msgspec.json.encode(kept), place=place)
        return base64.urlsafe_b64encode(sealed).decode()

    def _open(self, text: str, *, kind: type[_Kept], place: str) -> _Kept:
        try:
            sealed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
            return msgspec.json.decode(self._box.open(sealed, place=place), type=kind)
        except (UnicodeEncodeError, binascii.Error, SealBroken):
            raise Refused("permission_denied", "The form is not one of this page.") from None
        except msgspec.DecodeError:  # of another version of this program
            raise Refused("credential_stale", "The form has expired.") from None
