"""How schemathesis reads the answers of `make test`."""

import json

import schemathesis

# Python refuses to convert more, and without that limit it takes minutes for what the service sends in a blink.
DIGITS = 4000


@schemathesis.deserializer("application/json", "application/problem+json")
def exact_numbers_may_be_long(_context, response):
    """Reads a number by its first digits where it has more: the description says nothing of how large it is."""
    return json.loads(response.content, parse_int=lambda digits: int(digits[:DIGITS]))
