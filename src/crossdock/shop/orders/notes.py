"""The note that goes with each item to an outside system."""

DEFAULT_TEMPLATE = "Partner Order ID: {partner_order_id}"
PLACEHOLDER = "{partner_order_id}"


def item_note(partner_order_id: str, comments: str = "", template: str = DEFAULT_TEMPLATE) -> str:
    """One line: the template with the partner's number, then ' | ' and the comments if there are any.

    Without a number, as of staff who gave none, the comments alone. Line breaks and other runs of white space become
    one space (spec shoppex_partner 4.4).
    """
    note = template.replace(PLACEHOLDER, partner_order_id) if partner_order_id.strip() else ""
    comment = " ".join(comments.split())
    return " ".join(" | ".join(part for part in (note, comment) if part).split())
