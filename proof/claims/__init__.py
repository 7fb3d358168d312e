"""The claims in the order in which they are tried."""

from proof.claim import Claim
from proof.claims import p01_last_unit

CLAIMS: list[Claim] = [
    p01_last_unit.CLAIM,
]
