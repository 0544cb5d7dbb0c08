"""Keeps schemathesis from what it may ask a server for: to wait for days, to answer 500 of an instance that has failed, and to purge what
the rest of the run needs."""

import itertools

import schemathesis

purges = itertools.count()


def long(timeout):
    if isinstance(timeout, list):
        return any(map(long, timeout))
    try:
        return float(timeout) > 0.2
    except (TypeError, ValueError):
        return False


@schemathesis.hook
def before_call(context, case, kwargs):
    query = dict(case.query or {})
    if long(query.get("timeout")):
        query["timeout"] = 0.2
    query.pop("returnInternalServerErrorOnFailure", None)
    if case.operation.definition.raw.get("operationId") == "purgeMany":
        query["instanceIdPrefix"] = f"purge-{next(purges)}"
    case.query = query
