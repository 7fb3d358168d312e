"""The claims in the order in which they are tried."""

from proof.claim import Claim
from proof.claims import (
    p01_last_unit,
    p02_mixed_flow,
    p03_kill,
    p04_crash,
    p05_duplicates,
    p06_replay,
    p06_tokens,
    p07_calls,
    p07_fuzz,
    p12_outbox,
    p13_private_addresses,
    p14_tenants,
    p14_web_shops,
    p16_paging,
    p17_money,
    p19_link,
    p20_import,
    p23_standby,
)

CLAIMS: list[Claim] = [
    p01_last_unit.CLAIM,
    p02_mixed_flow.CLAIM,
    p03_kill.CLAIM,
    p04_crash.CLAIM,
    p05_duplicates.CLAIM,
    p06_replay.CLAIM,
    p06_tokens.CLAIM,
    p07_fuzz.CLAIM,
    p07_calls.CLAIM,
    p12_outbox.CLAIM,
    p13_private_addresses.CLAIM,
    p14_tenants.CLAIM,
    p14_web_shops.CLAIM,
    p16_paging.CLAIM,
    p17_money.CLAIM,
    p19_link.CLAIM,
    p20_import.CLAIM,
    p23_standby.CLAIM,
]
