"""The chart of accounts: what each kind is for, and which facts post to it.

| kind | owner | what it holds | floor |
|---|---|---|---|
| receivable | `customer:ID` | what a customer owes for goods bought on account | |
| receivable | `reseller:ID` | what a reseller paid for stock that it has not got, or not any more | |
| receivable | `invoice:ID` | what was paid for an invoice, and not credited to what it is for | |
| clearing | a payment provider's name | captured by the provider, not yet on the bank account | |
| bank | | what is on the shop's bank account | |
| sales | `merchant:ID` | goods of that merchant that were sold | |
| sales | `invoices` | invoices without goods that were paid | |
| shipping | | what buyers pay for shipping | |
| tax | | tax that buyers paid, owed to the state | |
| refunds | | given back to buyers, taken from sales | |
| commission | `merchant:ID` | the shop's share of what that merchant sold | |
| prepaid | `reseller:ID` or the like | a balance paid in advance | 0 |
| reseller_costs | | what resellers' commissions cost the shop | |
| reseller_pending | `reseller:ID` | commission that is held for a while | 0 |
| reseller_available | `reseller:ID` | commission that may be claimed; below 0 after a refund of what was paid out | |
| reseller_reserved | `reseller:ID` | commission that was claimed and not paid out yet | 0 |

A balance is credits less debits. What the shop has or is owed (receivable, clearing, bank, refunds) is
therefore negative, what it owes or has earned positive, and the balances of a currency sum to zero.

| fact | debit | credit |
|---|---|---|
| an order that is to be paid is placed | receivable | sales of each merchant, shipping, tax |
| its merchants' terms give the shop a share | sales | commission |
| it is cancelled before it is paid | sales, shipping, tax; commission | receivable; sales |
| a card payment is captured | clearing | receivable |
| a bank transfer has come in | bank | receivable |
| a refund | refunds | clearing or bank |
| a reseller pays for stock, or its invoice is paid | bank; receivable of the invoice | receivable |
| it gets the stock | receivable; sales | sales of the merchant; commission |
| stock that it still has is revoked | sales of the merchant; commission | receivable; sales |
| what it paid for that is settled | receivable | prepaid balance, or bank where it is paid out |
| a balance is paid in advance | bank | prepaid |
| an order is paid from it | prepaid | sales of each merchant, shipping, tax |
| an invoice without goods is paid | receivable | what it is for: sales, or the prepaid balance that it tops up |
| a payment that came after its invoice was voided is refunded | receivable | refunds |
| an order that a reseller brought is paid | reseller_costs | reseller_pending |
| its commission was held long enough | reseller_pending | reseller_available |
| it is refunded | reseller_pending or reseller_available | reseller_costs |
| a payout is asked for | reseller_available | reseller_reserved |
| it is rejected or cancelled | reseller_reserved | reseller_available |
| it is paid out | reseller_reserved | bank |
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
    "prepaid",
    "reseller_costs",
    "reseller_pending",
    "reseller_available",
    "reseller_reserved",
]
ACCOUNT_KINDS: tuple[AccountKind, ...] = get_args(AccountKind)
