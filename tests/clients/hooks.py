"""Keeps schemathesis from what it may ask a server for: to wait for days, and to purge what the rest of the run needs."""

import itertools

import schemathesis

purges = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query or {}
    timeout = query.get("timeout")
    if isinstance(timeout, (int, float)) and timeout > 0.2:
        query["timeout"] = 0.2
    if case.operation.definition.raw.get("operationId") == "purgeMany":
        query["instanceIdPrefix"] = f"purge-{next(purges)}"
    case.query = query
