"""Stripe's API as far as a payment by card needs it, at the paths and in the words of its library.

It keeps idempotency keys as Stripe does: the same key gives the same answer, with other parameters an
error. `lose` names the requests whose answer is lost, and `drop` those that are lost themselves, by the
end of their path; each once.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

from tests.support.simulators.http import Drop, HttpSimulator, Outcome, Reply, Request

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
LIVE_KEY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
AUTHENTICATE = "4000002500003155"
_DECLINES = {
    "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "4100000000000019": ("card_declined", "fraudulent"),
    "4000000000000069": ("expired_card", ""),
    AUTHENTICATE: ("authentication_required", ""),
}


class StripeSimulator:
    """An account of Stripe with its PaymentIntents and refunds."""

    def __init__(self, *, key: str = KEY) -> None:
        self.key = key
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.cards: dict[str, str] = {}
        self.lose: list[str] = []
        self.drop: list[str] = []
        self.fails: list[tuple[str, int, dict[str, str]]] = []
        self.page_size = 100
        self._answers: dict[str, tuple[bytes, Reply]] = {}
        self.server = HttpSimulator(self._answer)

    @property
    def statuses(self) -> list[str]:
        """Of the PaymentIntents, the oldest first."""
        return [intent["status"] for intent in self.intents.values()]

    async def _answer(self, request: Request) -> Outcome:
        if _take(self.drop, request):
            return Drop()
        reply = self._kept(request)
        return Drop() if _take(self.lose, request) else reply

    def _kept(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, type="invalid_request_error", message="Invalid API Key provided")
        for failing in self.fails:
            if request.path.endswith(failing[0]):
                self.fails.remove(failing)
                return _error(failing[1], **failing[2])
        key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
        said = request.target.encode() + request.body
        if key in self._answers:
            before, reply = self._answers[key]
            return reply if before == said else _error(400, type="idempotency_error")
        form = dict(parse_qsl(request.body.decode()))
        reply = self._do(request, request.path.strip("/").split("/")[1:], form)
        if key:
            self._answers[key] = (said, Reply(reply.status, json.dumps(reply.body).encode()))
        return reply

    def _do(self, request: Request, path: list[str], form: dict[str, str]) -> Reply:
        match (request.method, *path):
            case ("POST", "payment_methods"):
                method_id = f"pm_{len(self.cards) + 1}"
                self.cards[method_id] = form["card[number]"]
                return Reply(200, {"id": method_id, "object": "payment_method"})
            case ("POST", "payment_intents"):
                return self._create(form)
            case ("GET", "payment_intents", intent_id):
                return Reply(200, self.intents[intent_id])
            case ("POST", "payment_intents", intent_id, action):
                return self._move(self.intents[intent_id], action, form)
            case ("POST", "refunds"):
                return self._refund(form)
            case ("GET", "refunds"):
                return self._list(request.query)
        return _error(404, type="invalid_request_error", message="Unrecognized request URL")

    def _create(self, form: dict[str, str]) -> Reply:
        assert form["capture_method"] == "manual"
        intent_id = f"pi_{len(self.intents) + 1}"
        self.intents[intent_id] = {
            "id": intent_id, "object": "payment_intent", "status": "requires_payment_method",
            "amount": int(form["amount"]), "currency": form["currency"], "amount_received": 0,
            "last_payment_error": None, "metadata": _metadata(form),
        }  # fmt: skip
        return Reply(200, self.intents[intent_id])

    def _move(self, intent: dict[str, Any], action: str, form: dict[str, str]) -> Reply:
        open_states = {"requires_payment_method", "requires_capture"}
        if action == "confirm" and intent["status"] == "requires_payment_method":
            return self._confirm(intent, form)
        if action == "capture" and intent["status"] == "requires_capture":
            taken = int(form["amount_to_capture"])
            assert taken <= intent["amount"]
            intent |= {"status": "succeeded", "amount_received": taken}
        elif action == "cancel" and intent["status"] in open_states:
            intent["status"] = "canceled"
        else:
            return _error(400, type="invalid_request_error", code="payment_intent_unexpected_state")
        return Reply(200, intent)

    def _confirm(self, intent: dict[str, Any], form: dict[str, str]) -> Reply:
        if declined := _DECLINES.get(self.cards[form["payment_method"]]):
            code, decline = declined
            told = {"type": "card_error", "code": code, "decline_code": decline}
            intent["last_payment_error"] = told
            return _error(402, **told)
        intent["status"] = "requires_capture"
        return Reply(200, intent)

    def _refund(self, form: dict[str, str]) -> Reply:
        intent = self.intents[form["payment_intent"]]
        amount = int(form["amount"])
        given = sum(each["amount"] for each in self.refunds if each["intent"] == intent["id"])
        if given + amount > intent["amount_received"]:
            return _error(400, type="invalid_request_error", code="charge_already_refunded")
        refund = {
            "id": f"re_{len(self.refunds) + 1}", "object": "refund", "status": "succeeded",
            "amount": amount, "intent": intent["id"], "metadata": _metadata(form),
        }  # fmt: skip
        self.refunds.append(refund)
        return Reply(200, refund)

    def _list(self, query: dict[str, list[str]]) -> Reply:
        [intent_id] = query["payment_intent"]
        found = [each for each in reversed(self.refunds) if each["intent"] == intent_id]
        ids = [each["id"] for each in found]
        start = ids.index(query["starting_after"][0]) + 1 if "starting_after" in query else 0
        page = found[start : start + self.page_size]
        more = len(found) > start + self.page_size
        return Reply(200, {"object": "list", "url": "/v1/refunds", "data": page, "has_more": more})


def _take(names: list[str], request: Request) -> bool:
    wanted = next((name for name in names if request.path.endswith(name)), None)
    if wanted is None:
        return False
    names.remove(wanted)
    return True


def _metadata(form: dict[str, str]) -> dict[str, str]:
    return {
        name[len("metadata[") : -1]: value
        for name, value in form.items()
        if name.startswith("metadata[")
    }


def _error(status: int, **told: str) -> Reply:
    return Reply(status, {"error": {"message": "no", **told}})
