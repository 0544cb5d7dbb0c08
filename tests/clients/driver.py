"""Calls azure-functions-durable's client: a call per line in, {"ok": value} or {"error": text} per line out, both in JSON."""

import asyncio
import json
import sys
from datetime import datetime
from types import SimpleNamespace

import azure.durable_functions as df
from azure.durable_functions.models.utils import http_utils

client = None


def when(text):
    return datetime.fromisoformat(text) if text else None


def shown(s):
    """A status as the tests compare it; None for what the client says is none."""
    if not s:
        return None
    return {
        "id": s.instance_id, "name": s.name, "status": s.runtime_status.value, "input": s.input_, "output": s.output, "custom": s.custom_status,
        "created": s.created_time.isoformat(), "updated": s.last_updated_time.isoformat(),
        "events": [e["EventType"] for e in getattr(s, "historyEvents", [])],
    }


def filters(c):
    return {"created_time_from": when(c.get("from")), "created_time_to": when(c.get("to")),
            "runtime_status": [df.OrchestrationRuntimeStatus(s) for s in c.get("statuses", [])]}


def response(r):
    return {"status": r.status_code, "body": json.loads(r.get_body()), "location": r.headers.get("Location"), "retryAfter": r.headers.get("Retry-After")}


request = SimpleNamespace(url="https://front.example/api/start")


async def call(c):
    global client
    match c["do"]:
        case "open":
            client = df.DurableOrchestrationClient(json.dumps(c["binding"]))
        case "start":
            return await client.start_new(c["name"], c.get("id"), c.get("input"), c.get("version"))
        case "status":
            return shown(await client.get_status(c["id"], c.get("history", False), c.get("outputs", False), c.get("showInput", False)))
        case "list":
            return [shown(s) for s in await client.get_status_all()]
        case "listBy":
            return [shown(s) for s in await client.get_status_by(instance_id_prefix=c.get("prefix"), **filters(c))]
        case "wait":
            return response(await client.wait_for_completion_or_create_check_status_response(request, c["id"], c["timeout"], c["interval"]))
        case "raise":
            return await client.raise_event(c["id"], c["event"], c.get("data"))
        case "terminate" | "suspend" | "resume" | "rewind" as what:
            return await getattr(client, what)(c["id"], c["reason"])
        case "restart":
            return await client.restart(c["id"], c["newID"])
        case "purge":
            return (await client.purge_instance_history(c["id"])).instances_deleted
        case "purgeBy":
            return (await client.purge_instance_history_by(**filters(c))).instances_deleted
        case "links":
            return client.create_http_management_payload(c["id"])
        case "checkStatus":
            return response(client.create_check_status_response(request, c["id"]))
        case "entity":
            return (await client.read_entity_state(df.EntityId(c["name"], c["key"]))).entity_state
        case other:
            raise ValueError("the driver cannot " + other)


async def main():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            answer = {"ok": await call(json.loads(line))}
        except Exception as e:
            answer = {"error": str(e) or type(e).__name__}
        print(json.dumps(answer), flush=True)
    await http_utils._close_session()  # or it complains on standard error


asyncio.run(main())
