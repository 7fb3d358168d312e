"""Sign-in for pages: session cookies, form tokens, redirects to the sign-in page and back."""

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
from crossdock.gate.returning import HOME, SIGN_IN, local_path, sign_in_address

__all__ = [
    "ACCOUNT",
    "HOME",
    "SIGN_IN",
    "TOKEN_FIELD",
    "Form",
    "Gate",
    "SignInNeeded",
    "StaffPage",
    "create_gate",
    "local_path",
    "read_form",
    "sign_in_address",
]
