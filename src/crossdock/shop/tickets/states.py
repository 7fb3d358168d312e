"""The states of a ticket, and the actions that move it (spec shoppo 11).

The table `ticket_moves` has the same arrows; the database refuses all others.

| action | by | from | to |
|---|---|---|---|
| assign | staff | new | open, and never new again |
| | | open, pending, hold | the same, for another agent |
| answer | agent | open, pending, hold, solved | the same |
| ask | agent | open, pending | pending |
| hold | agent | open, pending | hold |
| solve | agent | new, open, pending, hold | solved |
| reply | requester | new, open | the same |
| | | pending, hold, solved | open |
| close | the periodic job alone | solved | closed, which is final |
"""

from typing import Literal, get_args

TicketKind = Literal["exchange", "refund", "question"]
TicketState = Literal["new", "open", "pending", "hold", "solved", "closed"]
Action = Literal["assign", "answer", "ask", "hold", "solve", "reply", "close"]
ProblemType = Literal["refund", "exchange", "not_arrived", "other"]
ItemDelivery = Literal["received", "not_received"]

KINDS: tuple[TicketKind, ...] = get_args(TicketKind)
STATES: tuple[TicketState, ...] = get_args(TicketState)
ACTIONS: tuple[Action, ...] = get_args(Action)

MOVES: dict[Action, dict[TicketState, TicketState]] = {
    "assign": {"new": "open", "open": "open", "pending": "pending", "hold": "hold"},
    "answer": {"open": "open", "pending": "pending", "hold": "hold", "solved": "solved"},
    "ask": {"open": "pending", "pending": "pending"},
    "hold": {"open": "hold", "pending": "hold"},
    "solve": {"new": "solved", "open": "solved", "pending": "solved", "hold": "solved"},
    "reply": {"new": "new", "open": "open", "pending": "open", "hold": "open", "solved": "open"},
    "close": {"solved": "closed"},
}

ACTIONS_OF: dict[TicketState, tuple[Action, ...]] = {
    state: tuple(action for action in ACTIONS if state in MOVES[action]) for state in STATES
}
"""What may be done with a ticket in each state, by whoever may."""
