"""Pages for people: sign-in with cookies, form tokens and redirects; what forms and cards share."""

from crossdock.gate.assets import FOREVER, Assets
from crossdock.gate.buyers import Seller, buyer_language, only_shop, seller_named, seller_of
from crossdock.gate.gate import (
    ACCOUNT,
    SURE_FIELD,
    TOKEN_FIELD,
    Form,
    Gate,
    SignInNeeded,
    StaffPage,
    create_gate,
    read_form,
)
from crossdock.gate.pages import (
    CARD_DECLINED,
    CARD_FIELDS,
    CARD_MISSING,
    CARD_MISTAKES,
    CARD_SHOWN_AGAIN,
    Mistake,
    page_headers,
    read_card,
)
from crossdock.gate.returning import HOME, SIGN_IN, local_path, sign_in_address
from crossdock.gate.templating import create_templates
from crossdock.gate.uploads import FormWithFiles, Upload, receive_form

__all__ = [
    "ACCOUNT",
    "CARD_DECLINED",
    "CARD_FIELDS",
    "CARD_MISSING",
    "CARD_MISTAKES",
    "CARD_SHOWN_AGAIN",
    "FOREVER",
    "HOME",
    "SIGN_IN",
    "SURE_FIELD",
    "TOKEN_FIELD",
    "Assets",
    "Form",
    "FormWithFiles",
    "Gate",
    "Mistake",
    "Seller",
    "SignInNeeded",
    "StaffPage",
    "Upload",
    "buyer_language",
    "create_gate",
    "create_templates",
    "local_path",
    "only_shop",
    "page_headers",
    "read_card",
    "read_form",
    "receive_form",
    "seller_named",
    "seller_of",
    "sign_in_address",
]
