// Calls durable-functions' client: a call per line in, {"ok": value} or {"error": text} per line out, both in JSON.
"use strict";
process.env.WEBSITE_HOSTNAME = "front.example"; // without it the links are turned to localhost:7071
const readline = require("node:readline");
const df = require("durable-functions");

let client;
const input = df.input.durableClient();
const request = { url: "https://front.example/api/start" };
const when = (text) => (text ? new Date(text) : undefined);

// shown is a status as the tests compare it.
const shown = (s) => ({
  id: s.instanceId, name: s.name, status: s.runtimeStatus, input: s.input, output: s.output, custom: s.customStatus,
  created: new Date(s.createdTime).toISOString(), updated: new Date(s.lastUpdatedTime).toISOString(),
});

const filters = (c) => ({ createdTimeFrom: when(c.from), createdTimeTo: when(c.to), runtimeStatus: c.statuses });

const response = async (r) => ({
  status: r.status, body: await r.json(), location: r.headers.get("Location"), retryAfter: r.headers.get("Retry-After"),
});

const calls = {
  open: (c) => {
    client = df.getClient({ options: { extraInputs: [input] }, extraInputs: { get: () => c.binding } });
  },
  start: (c) => client.startNew(c.name, { instanceId: c.id, input: c.input, version: c.version }),
  status: async (c) =>
    shown(await client.getStatus(c.id, { showHistory: c.history ?? false, showHistoryOutput: c.outputs ?? false, showInput: c.showInput ?? false })),
  list: async () => (await client.getStatusAll()).map(shown),
  listBy: async (c) => (await client.getStatusBy(filters(c))).map(shown),
  wait: async (c) =>
    response(await client.waitForCompletionOrCreateCheckStatusResponse(request, c.id, { timeoutInMilliseconds: c.timeout, retryIntervalInMilliseconds: c.interval })),
  raise: (c) => client.raiseEvent(c.id, c.event, c.data),
  terminate: (c) => client.terminate(c.id, c.reason),
  suspend: (c) => client.suspend(c.id, c.reason),
  resume: (c) => client.resume(c.id, c.reason),
  rewind: (c) => client.rewind(c.id, c.reason),
  purge: async (c) => (await client.purgeInstanceHistory(c.id)).instancesDeleted,
  purgeBy: async (c) => (await client.purgeInstanceHistoryBy(filters(c))).instancesDeleted,
  links: (c) => client.createHttpManagementPayload(c.id),
  checkStatus: (c) => response(client.createCheckStatusResponse(request, c.id)),
  entity: async (c) => (await client.readEntityState(new df.EntityId(c.name, c.key))).entityState,
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const c = JSON.parse(line);
    let answer;
    try {
      answer = { ok: (await calls[c.do](c)) ?? null };
    } catch (e) {
      answer = { error: e.message };
    }
    console.log(JSON.stringify(answer));
  }
})();
