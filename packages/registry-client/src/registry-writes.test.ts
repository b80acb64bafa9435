import { inspect } from "node:util";

import { BuilderError } from "@slipway/core/errors";
import { afterEach, describe, expect, test } from "vitest";

import { startLocalServer, type LocalHandler } from "./__fixtures__/local-server.ts";
import { computeDigest, createRegistryClient, manifestMediaTypes } from "./index.ts";
import type { RegistryClient, RegistryClientOptions } from "./index.ts";
import type { ReferrersKnowledge } from "./listing-requests.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A registry that answers with `handle`, at a port of this machine but under any name. */
async function serve(handle: LocalHandler, options: Partial<RegistryClientOptions> = {}) {
  const requests: string[] = [];
  const server = await startLocalServer((request, response, body) => {
    requests.push(`${request.method} ${request.url}`);
    handle(request, response, body);
  });
  cleanups.push(() => server[Symbol.dispose]());
  const { host: registry } = server;
  const client = createRegistryClient({ registry, retryDelaysMs: [1], ...options });
  return { registry, client, requests };
}

async function failure(promise: Promise<unknown>): Promise<BuilderError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!BuilderError.isInstance(error)) throw new Error(`unexpected ${inspect(error)}`);
  return error;
}

async function all(names: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of names) found.push(name);
  return found;
}

const [indexType, mediaType] = manifestMediaTypes;
const subject = `sha256:${"a".repeat(64)}`;

function referring(artifactType: string): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, artifactType, subject: { digest: subject } }));
}

describe("manifests that are pushed", () => {
  test("arrive byte by byte under their media type", async () => {
    const bytes = Buffer.from('{ "schemaVersion":2 }\n');
    const { registry, client, requests } = await serve((request, response, body) => {
      expect(request.headers).toMatchObject({ "content-type": indexType, "content-length": String(bytes.length) });
      expect(body.equals(bytes)).toBe(true);
      response.writeHead(201, { "docker-content-digest": computeDigest(bytes) }).end();
    });
    expect(await client.putManifest(`${registry}/app:v1`, { mediaType: indexType, bytes })).toEqual({
      digest: computeDigest(bytes),
    });
    expect(requests).toEqual(["PUT /v2/app/manifests/v1"]);
    const other = `${registry}/app@${subject}`;
    expect((await failure(client.putManifest(other, { mediaType, bytes }))).code).toBe("INVALID_OPTIONS");
  });

  test("are listed by a registry that says so", async () => {
    const { registry, client, requests } = await serve(
      (_, response) => void response.writeHead(201, { "oci-subject": subject }).end(),
    );
    const bytes = referring("application/vnd.example.sbom");
    expect(await client.putManifest(`${registry}/app@${computeDigest(bytes)}`, { mediaType, bytes })).toEqual({
      digest: computeDigest(bytes),
      subject,
    });
    expect(requests).toHaveLength(1);
  });

  test("are sent again when the registry was busy", async () => {
    let count = 0;
    const { registry, client } = await serve((_, response) => void response.writeHead(++count === 1 ? 503 : 201).end());
    await client.putManifest(`${registry}/app:v1`, { mediaType, bytes: Buffer.from("{}") });
    expect(count).toBe(2);
  });
});

describe("referrers", () => {
  const descriptors = ["a", "b", "a"].map((name) => ({
    ...{ mediaType, digest: `sha256:${name.repeat(64)}`, size: 7, artifactType: `type/${name}` },
    annotations: { name, number: 1 },
  }));

  test("come from the registry's list, page by page, and are sorted out by type here as well", async () => {
    const { registry, client, requests } = await serve((request, response) => {
      const last = request.url?.includes("last=1") === true;
      const link: Record<string, string> = last ? {} : { link: `<${request.url}&last=1>; rel="next"` };
      response.writeHead(200, { "content-type": indexType, ...link });
      response.end(JSON.stringify({ manifests: last ? descriptors.slice(1) : descriptors.slice(0, 1) }));
    });
    const found = await client.listReferrers(`${registry}/app@${subject}`, { artifactType: "type/a" });
    const digest = `sha256:${"a".repeat(64)}`;
    expect(found).toEqual([{ mediaType, digest, sizeBytes: 7, artifactType: "type/a", annotations: { name: "a" } }]);
    expect(requests).toEqual([
      `GET /v2/app/referrers/${subject}?artifactType=type%2Fa`,
      `GET /v2/app/referrers/${subject}?artifactType=type%2Fa&last=1`,
    ]);
  });

  test("of a tag are those of the image that it stands for", async () => {
    const manifest = Buffer.from('{"schemaVersion":2}');
    const { registry, client, requests } = await serve((request, response) => {
      response.end(request.url?.includes("/manifests/") === true ? manifest : '{"manifests":[]}');
    });
    expect(await client.listReferrers(`${registry}/app:v1`)).toEqual([]);
    expect(requests.at(-1)).toBe(`GET /v2/app/referrers/${computeDigest(manifest)}`);
  });

  const html = "<html>Welcome</html>";
  const index = JSON.stringify({ schemaVersion: 2, manifests: descriptors.slice(0, 1) });

  test.each([
    [400, "application/json", "{}"],
    [404, "text/plain", "404 page not found"],
    [405, "text/plain", ""],
    [406, "text/plain", "Not Acceptable"],
    [501, "text/plain", "Not Implemented"],
    [200, "text/html", html],
    [200, indexType, html],
    [200, mediaType, index],
    [200, "application/json", '{"status":"ok"}'],
    [200, "application/json", '{"manifests":{}}'],
    [200, "application/json", "[]"],
    [200, "", ""],
  ])("come from their tag where the list is %i, %s, %s", async (status, type, text) => {
    const { registry, client, requests } = await serve((request, response) => {
      const isList = request.url?.includes("/referrers/") === true;
      const headers: Record<string, string> =
        isList && type === "" ? {} : { "content-type": isList ? type : indexType };
      response.writeHead(isList ? status : 200, headers).end(isList ? text : index);
    });
    const known: ReferrersKnowledge = {};
    const found = await client.listReferrers(`${registry}/app@${subject}`, { known });
    expect(found.map(({ digest }) => digest)).toEqual([descriptors[0]?.digest]);
    expect(known.withoutList).toBe(true);
    expect(requests.at(-1)).toBe(`GET /v2/app/manifests/${subject.replace(":", "-")}`);
  });

  test.each([
    ["", index, 1],
    ["application/json; charset=utf-8", index, 1],
    [indexType, '{"schemaVersion":2,"manifests":null}', 0],
  ])("come from a list whose type is '%s': %s", async (type, text, count) => {
    const headers: Record<string, string> = type === "" ? {} : { "content-type": type };
    const { registry, client, requests } = await serve((_, response) => {
      response.writeHead(200, headers).end(text);
    });
    const known: ReferrersKnowledge = {};
    expect(await client.listReferrers(`${registry}/app@${subject}`, { known })).toHaveLength(count);
    expect(known.withoutList).toBe(false);
    expect(requests).toHaveLength(1);
  });

  test.each([
    ["web page", html, /one of its pages is no index/],
    ["page without an end", '{"manifests":[]}', /100 of its pages in a row bring nothing new/],
  ])("are not those of the first pages alone: a %s behind them is refused", async (_, text, reason) => {
    const { registry, client } = await serve((request, response) => {
      const last = Number(/last=(\d+)/.exec(request.url ?? "")?.[1] ?? 0);
      response.writeHead(200, { "content-type": indexType, link: `<?last=${last + 1}>; rel="next"` });
      response.end(last === 0 ? index : text);
    });
    const error = await failure(client.listReferrers(`${registry}/app@${subject}`));
    expect(error.code).toBe("REGISTRY_REFUSED");
    expect(error.message).toMatch(reason);
  });

  test("that somebody else lists at the same time are not lost", async () => {
    const tag = subject.replace(":", "-");
    let index: Buffer = Buffer.from("");
    let puts = 0;
    const { registry, client } = await serve((request, response, body) => {
      if (request.url?.endsWith(tag) !== true) return void response.writeHead(201).end();
      if (request.method === "PUT") {
        // The first change is undone by somebody who has read before it.
        const others = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: descriptors.slice(0, 1) });
        index = ++puts === 1 ? Buffer.from(others) : body;
        return void response.writeHead(201).end();
      }
      if (index.length === 0) response.writeHead(404).end();
      else response.writeHead(200, { "content-type": indexType }).end(index);
    });
    const bytes = referring("application/vnd.example.sbom");
    const result = await client.putManifest(`${registry}/app@${computeDigest(bytes)}`, { mediaType, bytes });
    expect(result.referrersTag).toBe(tag);
    const digests = (JSON.parse(index.toString()) as { manifests: { digest: string }[] }).manifests.map(
      ({ digest }) => digest,
    );
    expect(digests).toEqual([descriptors[0]?.digest, computeDigest(bytes)]);
  });
});

test("a manifest whose subject can be no tag is stored as it is", async () => {
  const { registry, client, requests } = await serve((_, response) => void response.writeHead(201).end());
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, subject: { digest: "sha256:../../other" } }));
  const reference = `${registry}/app@${computeDigest(bytes)}`;
  expect(await client.putManifest(reference, { mediaType, bytes })).toEqual({ digest: computeDigest(bytes) });
  expect(requests).toEqual([`PUT /v2/app/manifests/${computeDigest(bytes)}`]);
});

describe("lists", () => {
  test("follow links, and take null for none", async () => {
    const { client, requests } = await serve((request, response) => {
      const { url = "" } = request;
      if (url.includes("tags")) return void response.end('{"name":"app","tags":null}');
      const link: Record<string, string> = url.includes("last=b")
        ? {}
        : { Link: '</v2/_catalog?last=b&n=2>; rel="next"' };
      response.writeHead(200, link).end(`{"repositories":${url.includes("last=b") ? '["c"]' : '["a","b"]'}}`);
    });
    expect(await all(client.listTags("app"))).toEqual([]);
    expect(await all(client.listRepositories({ pageSize: 2 }))).toEqual(["a", "b", "c"]);
    expect(requests).toEqual(["GET /v2/app/tags/list?n=1000", "GET /v2/_catalog?n=2", "GET /v2/_catalog?last=b&n=2"]);
  });

  test("that a registry does not have are refused", async () => {
    const { client } = await serve((_, response) => void response.writeHead(404).end());
    expect((await failure(all(client.listRepositories()))).code).toBe("REGISTRY_REFUSED");
    expect(await all(client.listTags("app"))).toEqual([]);
  });

  test("stop where their reader does", async () => {
    const { client, requests } = await serve((request, response) => {
      response.writeHead(200, { link: `<${request.url}0>; rel=next` }).end('{"tags":["a"]}');
    });
    for await (const tag of client.listTags("app")) if (tag === "a") break;
    expect(requests).toHaveLength(1);
  });
});

describe("what a registry warns of", () => {
  test("is passed on once", async () => {
    const warnings: string[] = [];
    const { client, registry } = await serve(
      (_, response) =>
        void response
          .writeHead(200, { warning: '299 - "this image \\"app\\" goes away", 110 - "stale"' })
          .end('{"tags":[]}'),
      { keychainCall: { warn: (message) => warnings.push(message) } },
    );
    await all(client.listTags("app"));
    await all(client.listTags("app"));
    expect(warnings).toEqual([`${registry}: this image "app" goes away`]);
  });
});

describe("ping", () => {
  test.each([
    [200, undefined, { authentication: "none" }],
    [401, 'Basic realm="x"', { authentication: "basic" }],
    [401, 'Bearer realm="https://t",service="s"', { authentication: "bearer", realm: "https://t", service: "s" }],
  ])("tells of %i with %s", async (status, challenge, found) => {
    const headers: Record<string, string> = challenge === undefined ? {} : { "www-authenticate": challenge };
    const { client } = await serve((_, response) => void response.writeHead(status, headers).end());
    expect(await client.ping()).toEqual(found);
  });

  test("fails where no registry is", async () => {
    const { client } = await serve((_, response) => void response.writeHead(404).end());
    expect((await failure(client.ping())).code).toBe("REGISTRY_REFUSED");
  });
});

describe("the check before a push", () => {
  async function registryAt(
    name: string,
    handle: LocalHandler,
  ): Promise<{ client: RegistryClient; requests: string[] }> {
    const { registry, requests } = await serve(handle);
    const { createStreamTransport } = await import("./stream-transport.ts");
    const { connect } = await import("node:net");
    const transport = createStreamTransport(async () => connect(Number(registry.split(":")[1]), "127.0.0.1"));
    return { client: createRegistryClient({ registry: name, http: true, transport, retryDelaysMs: [] }), requests };
  }

  test("opens an upload and drops it", async () => {
    const { client, requests } = await serve((request, response) => {
      const location = "/v2/app/blobs/uploads/7?_state=x";
      if (request.method === "POST") response.writeHead(202, { location }).end();
      else response.writeHead(204).end();
    });
    expect(await client.checkPush("app")).toEqual({ source: "anonymous access" });
    expect(requests).toEqual(["POST /v2/app/blobs/uploads/", "DELETE /v2/app/blobs/uploads/7?_state=x"]);
  });

  test("takes what its siblings take, and sends nothing for what is no repository of the registry", async () => {
    const { client, registry, requests } = await serve((request, response) => {
      if (request.method === "POST") response.writeHead(202, { location: "/v2/team/api/blobs/uploads/7" }).end();
      else response.writeHead(204).end();
    });
    const named = [`${registry}/team/api:v1`, { registry, repository: "team/api", tag: "v1" }];
    for (const each of named) expect(await client.checkPush(each)).toEqual({ source: "anonymous access" });
    const sent = ["POST /v2/team/api/blobs/uploads/", "DELETE /v2/team/api/blobs/uploads/7"];
    expect(requests).toEqual([...sent, ...sent]);
    for (const each of ["Team/API", "host.example.com/team/api", "team/api:v1"])
      expect(await failure(client.checkPush(each))).toMatchObject({ code: "INVALID_OPTIONS" });
    expect(requests).toHaveLength(4);
  });

  test("is content with an upload of which nobody says where it is", async () => {
    const { client } = await serve((_, response) => void response.writeHead(202, { location: "http://[" }).end());
    expect(await client.checkPush("app")).toEqual({ source: "anonymous access" });
  });

  test("drops the upload of a caller who leaves while it is opened", async () => {
    const leaving = new AbortController();
    const { client, requests } = await serve((request, response) => {
      if (request.method !== "POST") return void response.writeHead(204).end();
      leaving.abort(new Error("the test leaves"));
      response.writeHead(202, { location: "/v2/app/blobs/uploads/7" }).end();
    });
    const error = await failure(client.checkPush("app", { signal: leaving.signal }));
    expect(error.code).toBe("ABORTED");
    expect(requests).toEqual(["POST /v2/app/blobs/uploads/", "DELETE /v2/app/blobs/uploads/7"]);
    expect((await failure(client.checkPush("app", { signal: leaving.signal }))).code).toBe("ABORTED");
    expect(requests).toHaveLength(2);
  });

  test("tells that a registry is read-only", async () => {
    const { client } = await serve(
      (_, response) => void response.writeHead(405, { allow: "GET, HEAD" }).end("Method not allowed"),
    );
    const error = await failure(client.checkPush("app"));
    expect(error).toMatchObject({ code: "REGISTRY_REFUSED", details: { status: 405 } });
    expect(error.message).toMatch(/read-only/);
  });

  const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
  const missing = '{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name \'app\' does not exist"}]}';

  test("tells that a repository is missing, and has it made where that is wanted", async () => {
    let exists = false;
    const { client, requests } = await registryAt(ecr, (request, response) => {
      if (!exists) response.writeHead(404).end(missing);
      else if (request.method === "POST") response.writeHead(202, { location: "/v2/app/blobs/uploads/7" }).end();
      else response.writeHead(204).end();
    });
    const error = await failure(client.checkPush("app"));
    expect(error).toMatchObject({
      code: "REPOSITORY_NOT_FOUND",
      details: { registry: ecr, repository: "app", status: 404 },
    });
    expect(error.message).toMatch(/does not exist.*createRepository: true/);
    const created: string[] = [];
    const createRepository = async ({ registry, repository }: { registry: string; repository: string }) => {
      created.push(`${registry}/${repository}`);
      exists = true;
    };
    expect(await client.checkPush("app", { createRepository })).toEqual({ source: "anonymous access" });
    expect(created).toEqual([`${ecr}/app`]);
    expect(requests.at(-1)).toBe("DELETE /v2/app/blobs/uploads/7");
  });

  test("names what is missing to make one", async () => {
    const { client } = await registryAt(ecr, (_, response) => void response.writeHead(404).end(missing));
    const error = await failure(client.checkPush("app", { createRepository: true }));
    expect(error.code).toBe("REPOSITORY_NOT_FOUND");
    expect(error.message).toMatch(/@aws-sdk\/client-ecr, which is not installed/);
    const other = await registryAt("registry.example.com", (_, response) => void response.writeHead(404).end(missing));
    expect((await failure(other.client.checkPush("app", { createRepository: true }))).message).toMatch(
      /only repositories of Amazon ECR/,
    );
  });
});
