"""Partners, their terms, their credentials and rate limits."""

from crossdock.shop.partners.access import AccessToken, AccessTokens
from crossdock.shop.partners.apps import (
    App,
    NewSecret,
    Prefixes,
    add_app,
    list_apps,
    prove_app,
    read_app,
    revoke_app,
    rotate_app_secret,
)
from crossdock.shop.partners.callers import Callers
from crossdock.shop.partners.calling import (
    Called,
    PartnerSight,
    list_called,
    own_secret_place,
    read_called,
)
from crossdock.shop.partners.failures import FailedCalls
from crossdock.shop.partners.grants import (
    CODE_S,
    GRANT_KEY,
    Granting,
    Refusal,
    Tokens,
    exchange_code,
    give_code,
    refresh_tokens,
    revoke_token,
)
from crossdock.shop.partners.keeping import secret_place
from crossdock.shop.partners.keys import (
    NewCredential,
    add_credential,
    disable_credential,
    enable_credential,
    revoke_old_secrets,
    revoke_secrets,
    rotate_secret,
)
from crossdock.shop.partners.listing import CredentialView, PartnerView, SecretView, list_partners
from crossdock.shop.partners.managing import Terms, add_partner, set_terms, touch_partners
from crossdock.shop.partners.model import Credential, Partner, Proof, Secret
from crossdock.shop.partners.passwords import Passwords
from crossdock.shop.partners.purging import purge_expired
from crossdock.shop.partners.reading import read_credential, read_partner, read_partners_with
from crossdock.shop.partners.signatures import Signatures, Spend, Spending, is_nonce_spent
from crossdock.shop.partners.tokens import BearerTokens, Meter
from crossdock.shop.partners.wording import (
    ANY_TEXT,
    HTTPS_ORIGINS,
    HTTPS_URL,
    JSON_OBJECT,
    SECRET_TEXT,
    TERM_KEYS,
    WEBHOOK_SECRET,
    Wording,
    is_secret,
    read_terms,
    split_words,
)

__all__ = [
    "ANY_TEXT",
    "CODE_S",
    "GRANT_KEY",
    "HTTPS_ORIGINS",
    "HTTPS_URL",
    "JSON_OBJECT",
    "SECRET_TEXT",
    "TERM_KEYS",
    "WEBHOOK_SECRET",
    "AccessToken",
    "AccessTokens",
    "App",
    "BearerTokens",
    "Called",
    "Callers",
    "Credential",
    "CredentialView",
    "FailedCalls",
    "Granting",
    "Meter",
    "NewCredential",
    "NewSecret",
    "Partner",
    "PartnerSight",
    "PartnerView",
    "Passwords",
    "Prefixes",
    "Proof",
    "Refusal",
    "Secret",
    "SecretView",
    "Signatures",
    "Spend",
    "Spending",
    "Terms",
    "Tokens",
    "Wording",
    "add_app",
    "add_credential",
    "add_partner",
    "disable_credential",
    "enable_credential",
    "exchange_code",
    "give_code",
    "is_nonce_spent",
    "is_secret",
    "list_apps",
    "list_called",
    "list_partners",
    "own_secret_place",
    "prove_app",
    "purge_expired",
    "read_app",
    "read_called",
    "read_credential",
    "read_partner",
    "read_partners_with",
    "read_terms",
    "refresh_tokens",
    "revoke_app",
    "revoke_old_secrets",
    "revoke_secrets",
    "revoke_token",
    "rotate_app_secret",
    "rotate_secret",
    "secret_place",
    "set_terms",
    "split_words",
    "touch_partners",
]
