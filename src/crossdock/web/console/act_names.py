"""Names of what staff do on pages: by area, and by the last parts of the address that a form goes to."""

from collections.abc import Mapping
from typing import Final

from crossdock.kit.languages import lazy

_ORDERS: Final = {
    "bulk": lazy("Work on several orders"),
    "runs/switch": lazy("Stop or go on with work on many orders"),
    "new": lazy("Place an order"),
    "release": lazy("Release the order"),
    "send": lazy("Ship the order"),
    "deliver": lazy("Deliver the order"),
    "pay": lazy("Record the payment"),
    "cancel": lazy("Cancel the order"),
    "close": lazy("Close the order short"),
    "refund": lazy("Refund the order"),
    "note": lazy("Add a note"),
    "resend": lazy("Send to the connector again"),
    "return": lazy("Register a return"),
    "work/scan": lazy("Scan"),
    "work/pick": lazy("Pick"),
    "work/unpick": lazy("Put back on the shelf"),
    "work/serials": lazy("Note serials"),
    "work/pack": lazy("Pack"),
    "packages/ship": lazy("Ship a package"),
    "packages/unpack": lazy("Unpack a package"),
    "lines/cancel": lazy("Cancel a line"),
    "lines/refund": lazy("Refund a line"),
    "returns/receive": lazy("Receive a return"),
}
ACT_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "orders": _ORDERS,
    "products": {
        "edit": lazy("Change the product"),
        "listing": lazy("Put on sale or take out of sale"),
        "grid": lazy("Change prices and levels"),
        "promotions": lazy("Add a promotion"),
        "pictures": lazy("Add a picture"),
        "pictures/remove": lazy("Remove a picture"),
    },
    "promotions": {
        "end": lazy("End a promotion"),
    },
    "stock": {
        "serials": lazy("Add serials"),
        "serials/remove": lazy("Remove serials"),
        "serials/replace": lazy("Replace serials of an order"),
        "serials/reveal": lazy("Reveal a serial"),
        "receive": lazy("Receive stock"),
        "count": lazy("Count stock"),
        "transfer": lazy("Transfer stock"),
    },
    "merchants": {
        "new": lazy("Add a merchant"),
        "edit": lazy("Change the terms"),
        "listing": lazy("Put on sale or take out of sale"),
    },
    "partners": {
        "new": lazy("Add a partner"),
        "terms": lazy("Change the terms"),
        "rotate": lazy("Make a new secret"),
        "revoke-old": lazy("Revoke older secrets"),
        "key": lazy("Accept or refuse a key"),
        "calls": lazy("Accept or refuse all calls"),
        "watch": lazy("Keep the last requests"),
        "try": lazy("Send a test call"),
    },
    "customers": {
        "new": lazy("Add a customer"),
        "orders": lazy("Accept or refuse orders"),
    },
    "views": {"": lazy("Save a view"), "remove": lazy("Remove a view")},
    "people": {
        "invite": lazy("Invite somebody"),
        "role": lazy("Give a role"),
        "password": lazy("Reset the password"),
        "second-step": lazy("Turn two-factor authentication off"),
        "access": lazy("Allow or refuse sign-in"),
        "sessions": lazy("End sessions"),
    },
    "account": {
        "password": lazy("Change the password"),
        "language": lazy("Choose the language"),
        "two-step": lazy("Turn on two-factor authentication"),
        "two-step/off": lazy("Turn two-factor authentication off"),
        "recovery-codes": lazy("Make new recovery codes"),
    },
    "settings": {
        "shop": lazy("Change the shop"),
        "sender": lazy("Change the sender"),
        "logo": lazy("Change the logo"),
        "logo/remove": lazy("Remove the logo"),
    },
    "deliveries": {
        "": lazy("Send deliveries again"),
        "resend": lazy("Send the delivery again"),
        "withdraw": lazy("Withdraw the delivery"),
    },
    "imports": {
        "": lazy("Upload a file"),
        "check": lazy("Dry run"),
        "start": lazy("Start the import"),
    },
    "alerts": {"": lazy("Close alerts")},
    "endpoints": {"": lazy("Pause or resume an endpoint")},
    "payouts": {"": lazy("Decide on a payout")},
    "resellers": {
        "invite": lazy("Invite a reseller"),
        "program": lazy("Change the reseller programme"),
        "invitations/again": lazy("Send the invitation again"),
        "invitations/withdraw": lazy("Withdraw the invitation"),
        "terms": lazy("Change the reseller's terms"),
        "status": lazy("Approve, suspend or end a reseller"),
        "campaigns": lazy("Pause or revoke a campaign"),
    },
    "tickets": {"": lazy("Work on a ticket")},
}
"""`packages/7/ship` is named `packages/ship`, and '' is the area's own page."""
