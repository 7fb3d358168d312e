"""An outside directory of sales reps: GET ?email= answers {"sales_rep": ...}, 404 for a stranger."""

from tests.support.simulators.http import Hang, HttpSimulator, Outcome, Raw, Reply, Request


class SalesRepDirectory(HttpSimulator):
    """`sales_reps` maps a customer's e-mail to a sales rep's e-mail or name; `mood` spoils the answers."""

    def __init__(self, sales_reps: dict[str, str] | None = None, *, mood: str = "") -> None:
        super().__init__(self._answer)
        self.sales_reps = sales_reps or {}
        self.mood = mood

    async def _answer(self, request: Request) -> Outcome:
        spoilt: dict[str, Outcome] = {
            "hang": Hang(),
            "error": Reply(500, b"Oops"),
            "garbage": Reply(200, b"<html>"),
            "list": Reply(200, ["x"]),
            "number": Reply(200, {"sales_rep": 7}),
            "nul": Reply(200, {"sales_rep": "P\0ia"}),
            "huge": Reply(200, b"x" * 200_000),
            "redirect": Reply(302, b"", {"location": "http://127.0.0.1:1/"}),
            "broken": Raw(b"\x00\x01"),
        }
        if self.mood:
            return spoilt[self.mood]
        [email] = request.query.get("email", [""])
        sales_rep = self.sales_reps.get(email)
        return (
            Reply(200, {"sales_rep": sales_rep}) if sales_rep else Reply(404, {"sales_rep": None})
        )
