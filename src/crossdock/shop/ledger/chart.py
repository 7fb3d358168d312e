"""The chart of accounts: what each kind is for, and which facts post to it.

| kind | owner | what it holds | floor |
|---|---|---|---|
| receivable | `customer:ID` | what a customer owes for goods bought on account | |
| clearing | a payment provider's name | captured by the provider, not yet on the bank account | |
| bank | | what is on the shop's bank account | |
| sales | `merchant:ID`, or none for the shop's own | goods that were sold | |
| shipping | | what buyers pay for shipping | |
| tax | | tax that buyers paid, owed to the state | |
| refunds | | given back to buyers, taken from sales | |
| commission | | the shop's share of what merchants sell | |
| payable | `merchant:ID` | what the shop owes a merchant | 0 |
| prepaid | `reseller:ID` or the like | a balance paid in advance | 0 |

A balance is credits less debits. What the shop has or is owed (receivable, clearing, bank, refunds) is
therefore negative, what it owes or has earned positive, and the balances of a currency sum to zero.

| fact | debit | credit |
|---|---|---|
| goods sold on account | receivable | sales, shipping, tax |
| an account is paid by bank transfer | bank | receivable |
| a card payment is captured | clearing | sales, shipping, tax |
| a refund of either | refunds | clearing, bank or receivable |
| a prepaid balance is topped up | bank or clearing | prepaid |
| a prepaid purchase | prepaid | sales |
| a merchant's sale | sales | payable, commission |
| a payout to a merchant or reseller | payable or prepaid | bank |
"""

from typing import Literal, get_args

AccountKind = Literal[
    "receivable",
    "clearing",
    "bank",
    "sales",
    "shipping",
    "tax",
    "refunds",
    "commission",
    "payable",
    "prepaid",
]
ACCOUNT_KINDS: tuple[AccountKind, ...] = get_args(AccountKind)
