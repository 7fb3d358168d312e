"""How staff try an operation as a publisher."""

from crossdock.channels.contract import Trials
from crossdock.channels.plumbing.trying import bearer, with_headers

TRIALS = Trials(prove=with_headers(bearer), schemes=("bearer",))
