import type { ServerResponse } from "node:http";

import { expect, test } from "vitest";

import { answer, startFakeApiServer, statusBody } from "../__fixtures__/fake-api-server.ts";
import type { FakeApiServer } from "../__fixtures__/fake-api-server.ts";
import type { WatchOptions } from "./watch.ts";
import type { KubernetesObject } from "../rest/kubernetes-object.ts";

const pods = { apiVersion: "v1", kind: "Pod" };
const object = (name: string, version: number, uid = name): KubernetesObject => ({
  metadata: { name, uid, resourceVersion: String(version) },
});
const event = (type: string, changed: object): string => `${JSON.stringify({ type, object: changed })}\n`;

/** Lists and watches in the order in which they are asked for. */
function serveInTurn(
  lists: readonly object[],
  watches: readonly ((response: ServerResponse, query: URLSearchParams) => void)[],
): Promise<FakeApiServer> {
  const nextLists = [...lists];
  const nextWatches = [...watches];
  return startFakeApiServer({
    request: (request, response) => {
      const query = new URL(request.url ?? "", "http://x").searchParams;
      if (query.get("watch")) nextWatches.shift()?.(response, query);
      else answer(response, 200, nextLists.shift());
    },
  });
}

async function take(
  server: FakeApiServer,
  count: number,
  options: WatchOptions<KubernetesObject> = {},
): Promise<string[]> {
  const events: string[] = [];
  for await (const { type, object: changed } of server.cluster.watch(pods, options)) {
    events.push(`${type} ${changed.metadata?.name}@${changed.metadata?.resourceVersion}`);
    if (events.length === count) break;
  }
  return events;
}

test("goes on from the last version, that of a bookmark too", async () => {
  const versions: (string | null)[] = [];
  await using server = await serveInTurn(
    [{ metadata: { resourceVersion: "5" }, items: [object("a", 3)] }],
    [
      (response, query) => {
        versions.push(query.get("resourceVersion"));
        response.end(event("MODIFIED", object("a", 6)) + event("BOOKMARK", { metadata: { resourceVersion: "9" } }));
      },
      (response, query) => {
        versions.push(query.get("resourceVersion"));
        response.write(event("DELETED", object("a", 10)));
      },
    ],
  );
  expect(await take(server, 3)).toEqual(["ADDED a@3", "MODIFIED a@6", "DELETED a@10"]);
  expect(versions).toEqual(["5", "9"]);
});

const expiries: readonly (readonly [string, (response: ServerResponse) => void])[] = [
  ["in the stream", (response) => response.end(event("ERROR", { kind: "Status", code: 410, reason: "Expired" }))],
  ["as the answer", (response) => answer(response, 410, statusBody(410, "Expired", "too old"))],
];

test.each(expiries)("tells the difference to a new list after a 410 %s", async (_, expire) => {
  const first = {
    metadata: { resourceVersion: "5" },
    items: [object("gone", 1), object("new", 2, "old uid"), object("same", 3), object("other", 4)],
  };
  const second = {
    metadata: { resourceVersion: "20" },
    items: [object("new", 12), object("same", 3), object("other", 14)],
  };
  await using server = await serveInTurn([first, second], [expire]);
  expect((await take(server, 8)).slice(4)).toEqual([
    "DELETED gone@1",
    "DELETED new@2",
    "ADDED new@12",
    "MODIFIED other@14",
  ]);
});

// By default a watch is taken for dead after 90 s of silence, and an API server for lost when it was away for 60 s.
test.each([60_000, 30])(
  "opens a watch anew when nothing comes, and repeats nothing (gives up after %d ms)",
  async (giveUpAfterMs) => {
    await using server = await serveInTurn(
      [{ metadata: { resourceVersion: "5" }, items: [] }],
      [
        (response) => response.write(event("ADDED", object("a", 6))),
        (response) => response.write(event("ADDED", object("a", 6)) + event("ADDED", object("b", 7))),
      ],
    );
    expect(await take(server, 2, { idleTimeoutMs: 50, giveUpAfterMs })).toEqual(["ADDED a@6", "ADDED b@7"]);
  },
);

test("opens a watch anew that is cut after a long silence", async () => {
  await using server = await serveInTurn(
    [{ metadata: { resourceVersion: "5" }, items: [] }],
    [
      (response) => {
        response.write(event("ADDED", object("a", 6)));
        setTimeout(() => response.destroy(), 100);
      },
      (response) => response.write(event("ADDED", object("b", 7))),
    ],
  );
  expect(await take(server, 2, { giveUpAfterMs: 30 })).toEqual(["ADDED a@6", "ADDED b@7"]);
});

test("fails at once with what the API server will not allow", async () => {
  await using server = await startFakeApiServer({
    request: (_, response) => answer(response, 403, statusBody(403, "Forbidden", "no")),
  });
  await expect(take(server, 1)).rejects.toMatchObject({ code: "FORBIDDEN" });
});

test("gives up on a server that stays away", async () => {
  await using server = await startFakeApiServer({ request: (_, response) => response.destroy() });
  await expect(take(server, 1, { giveUpAfterMs: 200 })).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
});

test("ends when the signal fires", async () => {
  await using server = await serveInTurn(
    [{ metadata: { resourceVersion: "5" }, items: [] }],
    [(response) => response.flushHeaders()],
  );
  const controller = new AbortController();
  const taking = take(server, 1, { signal: controller.signal });
  await expect.poll(() => server.connectionCount).toBe(1);
  controller.abort();
  await expect(taking).rejects.toMatchObject({ code: "ABORTED" });
});
