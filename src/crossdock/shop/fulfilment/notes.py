"""The note that goes with each item to the fulfilment system."""

from crossdock.errors import Invalid

DEFAULT_TEMPLATE = "Partner Order ID: {partner_order_id}"
PLACEHOLDER = "{partner_order_id}"


def item_note(partner_order_id: str, comments: str = "", template: str = DEFAULT_TEMPLATE) -> str:
    """One line: the template with the partner's number, then ' | ' and the comments if there are any.

    Line breaks and other runs of white space become one space (spec shoppex_partner 4.4).
    """
    note = template.replace(PLACEHOLDER, partner_order_id)
    if comment := " ".join(comments.split()):
        note = f"{note} | {comment}"
    return " ".join(note.split())


def check_template(template: str) -> str:
    """The template, if it names the partner's number. Raises Invalid `invalid_input`."""
    if PLACEHOLDER not in template:
        raise Invalid("invalid_input", f"a note template must contain {PLACEHOLDER}")
    return template
