"""Who may call: partners, their credentials and terms, nonces and rate limits."""

from crossdock.shop.partners.managing import (
    NewCredential,
    PartnerView,
    Terms,
    add_credential,
    add_partner,
    disable_credential,
    enable_credential,
    list_partners,
    revoke_old_secrets,
    rotate_secret,
    set_terms,
)
from crossdock.shop.partners.model import Credential, Partner, Secret
from crossdock.shop.partners.purging import purge_expired
from crossdock.shop.partners.reading import read_credential, secret_place
from crossdock.shop.partners.verifying import Verifier, is_nonce_spent
from crossdock.shop.partners.wording import (
    JSON_OBJECT,
    TERM_KEYS,
    Wording,
    read_terms,
    split_words,
)

__all__ = [
    "JSON_OBJECT",
    "TERM_KEYS",
    "Credential",
    "NewCredential",
    "Partner",
    "PartnerView",
    "Secret",
    "Terms",
    "Verifier",
    "Wording",
    "add_credential",
    "add_partner",
    "disable_credential",
    "enable_credential",
    "is_nonce_spent",
    "list_partners",
    "purge_expired",
    "read_credential",
    "read_terms",
    "revoke_old_secrets",
    "rotate_secret",
    "secret_place",
    "set_terms",
    "split_words",
]
