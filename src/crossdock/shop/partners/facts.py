"""What is needed to add a partner of a channel; the channel supplies it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossdock.shop.partners.model import Proof


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """What is needed to add a partner of a channel.

    `settings` are the partner's own settings with their allowed values; yes and no are stored as
    booleans, JSON_OBJECT means any JSON object, ANY_TEXT any short text,
    HTTPS_ORIGINS web addresses without a path, HTTPS_URL an address that is called and SECRET_TEXT and
    WEBHOOK_SECRET a secret, which is stored encrypted. `keys_are_numbers`: the
    key is a number, not a `pk_` string. Each partner gets a credential of `proof`, and one of each of
    `further_proofs`; it has every permission unless told otherwise, but those of `on_request` only
    where they are named; its tokens begin with `token_prefix`. `needs_customer`: its orders are for the
    partner's customer; else the orders name who buys. `shown_as` renames fields of
    `NewCredential.shown` to the channel's terms. `title` and `about` tell people what it is.
    """

    name: str
    permissions: tuple[str, ...]
    settings: dict[str, tuple[str, ...]]
    keys_are_numbers: bool = False
    needs_customer: bool = True
    proof: Proof = "signature"
    further_proofs: tuple[Proof, ...] = ()
    on_request: tuple[str, ...] = ()
    token_prefix: str = ""
    shown_as: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    about: str = ""

    @property
    def given(self) -> tuple[str, ...]:
        """The permissions of a partner who is added without naming any."""
        return tuple(name for name in self.permissions if name not in self.on_request)
