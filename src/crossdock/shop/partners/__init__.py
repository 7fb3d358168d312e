"""Who may call: partners, their credentials and terms, nonces and rate limits."""

from crossdock.shop.partners.managing import (
    NewCredential,
    PartnerView,
    Terms,
    add_credential,
    add_partner,
    disable_credential,
    list_partners,
    parse_terms,
    revoke_old_secrets,
    rotate_secret,
    set_terms,
)
from crossdock.shop.partners.model import Credential, Partner, Secret
from crossdock.shop.partners.purging import purge_expired
from crossdock.shop.partners.reading import read_credential
from crossdock.shop.partners.verifying import Verifier, is_nonce_spent

__all__ = [
    "Credential",
    "NewCredential",
    "Partner",
    "PartnerView",
    "Secret",
    "Terms",
    "Verifier",
    "add_credential",
    "add_partner",
    "disable_credential",
    "is_nonce_spent",
    "list_partners",
    "parse_terms",
    "purge_expired",
    "read_credential",
    "revoke_old_secrets",
    "rotate_secret",
    "set_terms",
]
