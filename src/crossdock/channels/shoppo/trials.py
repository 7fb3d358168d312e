"""How staff try a GraphQL operation as a drop shipper."""

from crossdock.channels.contract import Trials
from crossdock.channels.plumbing.trying import with_headers
from crossdock.channels.shoppo.auth import TOKEN, VIEWER

TRIALS = Trials(
    prove=with_headers(lambda credential: {TOKEN: credential.secret, VIEWER: credential.key}),
    schemes=(TOKEN, VIEWER),
    bodies={
        "runOperation": '{"query": "{ productList(first: 3) { length edges { node { id name } } } }"}'
    },
)
