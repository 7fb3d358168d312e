"""`python -m proof [--quick] [--only P1,P3] [--seed N] [--workers N]`."""

import argparse
import asyncio
import secrets
import sys

from rich.console import Console

from proof.claims import CLAIMS
from proof.runner import run_claims


def main() -> None:
    """Test the claims; exit code 1 if one does not hold, 2 if the proof itself failed."""
    arguments = _arguments()
    wanted = {name.strip().upper() for name in arguments.only.split(",") if name.strip()}
    claims = [claim for claim in CLAIMS if not wanted or claim.id in wanted]
    if not claims or wanted - {claim.id for claim in claims}:
        sys.exit(f"there are {', '.join(claim.id for claim in CLAIMS)}")
    code = asyncio.run(
        run_claims(
            claims,
            seed=arguments.seed,
            is_quick=arguments.quick,
            workers=arguments.workers,
            console=Console(),
        )
    )
    sys.exit(code)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proof", description="Try the proof claims.")
    parser.add_argument("--quick", action="store_true", help="the CI size")
    parser.add_argument("--only", default="", help="claims to try, such as P1,P6")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeat a run")
    parser.add_argument("--workers", type=int, default=3, help="web processes of the server")
    return parser.parse_args()


if __name__ == "__main__":
    main()
