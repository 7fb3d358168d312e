"""Pages for people: sign-in with cookies, form tokens and redirects; what forms and cards share."""

from crossdock.gate.gate import (
    ACCOUNT,
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
    CARD_MISTAKES,
    CARD_NAMES,
    CARD_SHOWN_AGAIN,
    FIELD_TEMPLATES,
    Mistake,
    page_headers,
    read_card,
)
from crossdock.gate.returning import HOME, SIGN_IN, local_path, sign_in_address
from crossdock.gate.uploads import FormWithFiles, Upload, receive_form

__all__ = [
    "ACCOUNT",
    "CARD_DECLINED",
    "CARD_FIELDS",
    "CARD_MISTAKES",
    "CARD_NAMES",
    "CARD_SHOWN_AGAIN",
    "FIELD_TEMPLATES",
    "HOME",
    "SIGN_IN",
    "TOKEN_FIELD",
    "Form",
    "FormWithFiles",
    "Gate",
    "Mistake",
    "SignInNeeded",
    "StaffPage",
    "Upload",
    "create_gate",
    "local_path",
    "page_headers",
    "read_card",
    "read_form",
    "receive_form",
    "sign_in_address",
]
