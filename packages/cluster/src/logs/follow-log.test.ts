import type { ServerResponse } from "node:http";

import { expect, test } from "vitest";

import { answer, startFakeApiServer, statusBody } from "../__fixtures__/fake-api-server.ts";
import type { FakeApiServer } from "../__fixtures__/fake-api-server.ts";

const target = { namespace: "builds", pod: "p" };
const running = { containerStatuses: [{ name: "main", containerID: "one", state: { running: {} } }], phase: "Running" };
const over = {
  containerStatuses: [{ name: "main", containerID: "one", state: { terminated: { exitCode: 0 } } }],
  phase: "Succeeded",
};
const line = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, "0")}Z line ${second}\n`;

/** A pod whose log is served by `serve`, given the number of the request and its query. */
function servePod(
  status: () => object | undefined,
  serve: (response: ServerResponse, request: number, query: URLSearchParams) => void,
): Promise<FakeApiServer> {
  let requests = 0;
  return startFakeApiServer({
    request: (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
      const current = status();
      const pod = { metadata: { name: "p", namespace: "builds" }, status: current };
      if (pathname.endsWith("/log")) serve(response, (requests += 1), searchParams);
      else if (current === undefined && !searchParams.has("fieldSelector"))
        answer(response, 404, statusBody(404, "NotFound", "gone"));
      else
        answer(response, 200, pathname.endsWith("/pods") ? { metadata: { resourceVersion: "1" }, items: [pod] } : pod);
    },
  });
}

async function collect(server: FakeApiServer): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of server.cluster.followLog(target)) texts.push(text);
  return texts;
}

test("goes on where it was when the connection ends, in the middle of a line too, until the container has ended", async () => {
  let status: object = running;
  await using server = await servePod(
    () => status,
    (response, request, query) => {
      response.writeHead(200);
      if (request === 1) {
        response.write(line(1) + line(2) + "2026-01-01T00:00:03Z li");
        setTimeout(() => response.destroy(), 20);
        return;
      }
      if (request === 2) expect(query.get("sinceTime")).toBe("2026-01-01T00:00:02Z");
      status = over;
      response.end(line(2) + line(3) + (request === 3 ? line(4) : ""));
    },
  );
  expect(await collect(server)).toEqual(["line 1", "line 2", "line 3", "line 4"]);
});

test("ends with POD_LOST when the pod was deleted", async () => {
  let status: object | undefined = running;
  await using server = await servePod(
    () => status,
    (response) => {
      status = undefined;
      response.end(line(1));
    },
  );
  await expect(collect(server)).rejects.toMatchObject({ code: "POD_LOST" });
});

test("ends with the container that it began with, and reads its rest", async () => {
  let status: object = running;
  await using server = await servePod(
    () => status,
    (response, request, query) => {
      expect(query.get("previous")).toBe(request === 1 ? null : "true");
      status = { ...running, containerStatuses: [{ name: "main", containerID: "two", state: { running: {} } }] };
      response.end(request === 1 ? line(1) : line(1) + line(2));
    },
  );
  expect(await collect(server)).toEqual(["line 1", "line 2"]);
});

test("fails at once if the user may not read logs", async () => {
  await using server = await servePod(
    () => running,
    (response) => answer(response, 403, statusBody(403, "Forbidden", "no")),
  );
  await expect(collect(server)).rejects.toMatchObject({ code: "FORBIDDEN", details: { resource: "pods/log" } });
});
