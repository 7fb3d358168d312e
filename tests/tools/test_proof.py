"""The proof tells a claim that does not hold from its own failure."""

import io
import json

import pytest
from rich.console import Console

from proof import report
from proof.claim import Claim, Findings, Result, Unavailable
from proof.runner import BROKE_OFF, BROKEN, HELD, run_claims


def claim(name, *outcomes):
    """A claim whose attempts have these outcomes in turn: a result, or what is raised."""
    left = list(outcomes)

    async def run(_stand, _size, _rng):
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Claim(
        id=name, title="", workload="", must_hold="", full={}, quick={}, run=run, server=False
    )


def held():
    return Findings().result(orders=3)


def refuted():
    return Result(held=False, figures={}, notes=("an order is lost",))


@pytest.mark.slow
async def test_a_claim_that_breaks_off_is_tried_again_and_reported_as_an_error(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(report, "BUILD", tmp_path)
    claims = [
        claim("P1", held()),
        claim("P2", OSError("no port"), held()),
        claim("P3", OSError("no port"), OSError("no port again")),
        claim("P4", TimeoutError("no order was acknowledged")),
        claim("P5", refuted()),
        claim("P6", Unavailable("a package is missing"), Unavailable("a package is missing")),
    ]

    async def tried(*names, is_quick=True):
        return await run_claims(
            [c for c in claims if c.id in names],
            seed=1,
            is_quick=is_quick,
            workers=1,
            console=Console(file=io.StringIO()),
            temporary=True,
        )

    assert await tried("P3") == BROKE_OFF
    assert "ERROR OF THE PROOF" in (tmp_path / "proof.md").read_text()
    claims[2] = claim("P3", OSError("no port"), OSError("no port again"))
    assert await tried("P1", "P2", "P3", "P4", "P5") == BROKEN
    told = {c["id"]: c for c in json.loads((tmp_path / "proof.json").read_text())["claims"]}
    assert [told[f"P{n}"]["verdict"] for n in range(1, 6)] == [
        *("held", "held", "error", "FAILED", "FAILED")
    ]
    assert any("no port" in note for note in told["P2"]["notes"])
    assert (await tried("P6"), await tried("P6", is_quick=False)) == (HELD, BROKE_OFF)
    assert "not tried here" in (tmp_path / "proof.md").read_text()
