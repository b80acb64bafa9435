import type { IncomingMessage, ServerResponse } from "node:http";

import type { BuilderErrorCode } from "@slipway/core";

import { computeDigest } from "../manifest.ts";
import type { RegistryClient } from "../registry-client.ts";

/** One way in which a registry does not do what it should. */
export interface Lie {
  /** What the registry does. Its name is the repository, in which the server finds the case. */
  readonly name: string;
  readonly repository: string;
  /** What it answers; `undefined` leaves the request open. */
  readonly answer: (request: IncomingMessage, response: ServerResponse, path: string) => void;
  /** What is asked of it. @defaultValue its manifest by tag */
  readonly ask?: (client: RegistryClient, repository: string) => Promise<unknown>;
  readonly code: BuilderErrorCode;
  /** What the error must say beside. */
  readonly says: RegExp;
  /** `false`: the place that the registry names must not be dialled. */
  readonly dialled?: false;
}

const manifest = Buffer.from('{"schemaVersion":2}');
const otherDigest = computeDigest(Buffer.from("something else"));
const mediaType = "application/vnd.oci.image.manifest.v1+json";
const megabyte = Buffer.alloc(1024 * 1024, 0x20);

const getTag: NonNullable<Lie["ask"]> = (client, repository) =>
  client.getManifest({ registry: client.registry, repository, tag: "v1" });
const getDigest: NonNullable<Lie["ask"]> = (client, repository) =>
  client.getManifest({ registry: client.registry, repository, digest: otherDigest });
const putTag: NonNullable<Lie["ask"]> = (client, repository) =>
  client.putManifest({ registry: client.registry, repository, tag: "v1" }, { mediaType, bytes: manifest });
const readBlob: NonNullable<Lie["ask"]> = (client, repository) => drain(client, repository, false);

async function drain(client: RegistryClient, repository: string, transient: boolean): Promise<number> {
  const blob = await client.getBlob(repository, otherDigest, transient ? { memory: () => undefined } : {});
  let sizeBytes = 0;
  for await (const chunk of blob?.chunks ?? []) sizeBytes += chunk.byteLength;
  return sizeBytes;
}

const listTags: NonNullable<Lie["ask"]> = async (client, repository) => {
  for await (const tag of client.listTags(repository)) if (tag === "") return;
};
const upload: NonNullable<Lie["ask"]> = async (client, repository) => {
  const started = await client.startUpload(repository);
  if (started !== "mounted") await started.write(manifest);
};

/** Writes until nobody reads any more; of an answer to HEAD nobody does. */
function endlessly(response: ServerResponse, chunk: Uint8Array, totalBytes = Number.POSITIVE_INFINITY): void {
  if (response.req.method === "HEAD") {
    response.end();
    return;
  }
  let sentBytes = 0;
  const more = (): void => {
    while (!response.destroyed && sentBytes < totalBytes) {
      sentBytes += chunk.byteLength;
      if (!response.write(chunk)) return void response.once("drain", more);
    }
    if (!response.destroyed) response.end();
  };
  more();
}

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write("x"), 250);
  response.once("close", () => clearInterval(timer));
}

/** Answers that HTTP libraries refuse to write. */
function raw(response: ServerResponse, text: string, end = true): void {
  response.socket?.write(text);
  if (end) response.socket?.end();
}

function challenge(header: string): Lie["answer"] {
  return (_, response) => void response.writeHead(401, { "www-authenticate": header }).end("{}");
}

function redirect(location: string): Lie["answer"] {
  return (_, response) => void response.writeHead(307, { location }).end();
}

/** Where the token services of the cases are, on the server of the registry itself. */
function tokenService(request: IncomingMessage, name: string): string {
  return `Bearer realm="http://${request.headers.host}/v2/${name}/token",service="lies"`;
}

type Case = Omit<Lie, "repository" | "name">;

const cases: Readonly<Record<string, Case>> = {
  "a manifest with another digest": {
    answer: (_, response) => void response.end(manifest),
    ask: getDigest,
    code: "DIGEST_MISMATCH",
    says: /where sha256:[0-9a-f]+ was expected/,
  },
  "a manifest unlike the digest it states": {
    answer: (_, response) => void response.writeHead(200, { "docker-content-digest": otherDigest }).end(manifest),
    code: "DIGEST_MISMATCH",
    says: /damaged/,
  },
  "a blob with another digest": {
    answer: (_, response) => void response.writeHead(200, { "content-length": manifest.length }).end(manifest),
    ask: readBlob,
    code: "DIGEST_MISMATCH",
    says: /serves sha256:/,
  },
  "another digest for what was pushed": {
    answer: (_, response) => void response.writeHead(201, { "docker-content-digest": otherDigest }).end(),
    ask: putTag,
    code: "DIGEST_MISMATCH",
    says: /was expected/,
  },
  "a truncated manifest": {
    answer: (_, response) => raw(response, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"),
    code: "REGISTRY_UNAVAILABLE",
    says: /no answer from/,
  },
  "a truncated blob": {
    answer: (_, response) => raw(response, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nlayer"),
    ask: readBlob,
    code: "REGISTRY_UNAVAILABLE",
    says: /no answer from|ended within/,
  },
  "a manifest without end": {
    answer: (_, response) => endlessly(response, megabyte),
    code: "REGISTRY_REFUSED",
    says: /more than 4194304 bytes/,
  },
  "a manifest of 100 MB": {
    answer: (_, response) => {
      response.writeHead(200, { "content-length": 100 * megabyte.length });
      endlessly(response, megabyte, 100 * megabyte.length);
    },
    code: "REGISTRY_REFUSED",
    says: /104857600 bytes, where 4194304 are the most/,
  },
  "a blob without end": {
    answer: (_, response) => endlessly(response, megabyte),
    ask: readBlob,
    code: "REGISTRY_REFUSED",
    says: /does not say how long the blob is/,
  },
  "a blob that goes on after its end": {
    answer: (request, response) => {
      if (request.method === "HEAD") response.writeHead(200, { "content-length": 5_000_000 }).end();
      else endlessly(response, megabyte);
    },
    ask: readBlob,
    code: "REGISTRY_REFUSED",
    says: /more than the 5000000 bytes/,
  },
  "an error without end": {
    answer: (_, response) => {
      response.writeHead(400);
      endlessly(response, megabyte);
    },
    code: "REGISTRY_REFUSED",
    says: /answered 400/,
  },
  "a token without end": {
    answer: (request, response, path) => {
      if (path === "token") endlessly(response, megabyte);
      else challenge(tokenService(request, "a-token-without-end"))(request, response, path);
    },
    code: "REGISTRY_UNAUTHORIZED",
    says: /answered 200 without a token/,
  },
  "a list of tags without end": {
    answer: (_, response) => endlessly(response, megabyte),
    ask: listTags,
    code: "REGISTRY_REFUSED",
    says: /more than 4194304 bytes/,
  },
  "pages that lead in a circle": {
    answer: (request, response) => {
      const link = request.url?.includes("last=a")
        ? request.url.replace("last=a", "last=b")
        : request.url?.replace(/\?.*/, "?last=a");
      response.writeHead(200, { link: `<${link?.replace("last=b&", "")}>; rel="next"` }).end('{"tags":["a"]}');
    },
    ask: listTags,
    code: "REGISTRY_REFUSED",
    says: /circle/,
  },
  "pages without an end": {
    answer: (request, response) => {
      const last = Number(/last=(\d+)/.exec(request.url ?? "")?.[1] ?? 0);
      response.writeHead(200, { link: `<?last=${last + 1}>; rel="next"` }).end('{"tags":[]}');
    },
    ask: listTags,
    code: "REGISTRY_REFUSED",
    says: /100 of its pages in a row bring nothing new/,
  },
  "a redirect to a metadata address": {
    answer: redirect("http://169.254.169.254/latest/meta-data/iam/"),
    code: "REGISTRY_REFUSED",
    says: /leads to 169\.254\.169\.254/,
    dialled: false,
  },
  "a redirect to a metadata address in other digits": {
    answer: redirect("http://0xa9fea9fe/"),
    code: "REGISTRY_REFUSED",
    says: /leads to 169\.254\.169\.254/,
    dialled: false,
  },
  "a redirect to a metadata address inside of IPv6": {
    answer: redirect("http://[::ffff:169.254.169.254]/"),
    ask: readBlob,
    code: "REGISTRY_REFUSED",
    says: /credentials away/,
    dialled: false,
  },
  "a redirect to a metadata name": {
    answer: redirect("http://metadata.google.internal/computeMetadata/v1/"),
    ask: readBlob,
    code: "REGISTRY_REFUSED",
    says: /leads to metadata\.google\.internal/,
    dialled: false,
  },
  "a redirect to a private address": {
    answer: redirect("http://10.0.0.1/"),
    ask: readBlob,
    code: "REGISTRY_REFUSED",
    says: /leads to 10\.0\.0\.1 is an address of a private network/,
    dialled: false,
  },
  "a redirect to a name of the cluster": {
    answer: redirect("http://kubernetes.default.svc/"),
    code: "REGISTRY_REFUSED",
    says: /name of an inner network/,
    dialled: false,
  },
  "a header that has spaces without end": {
    answer: (_, response) => raw(response, `HTTP/1.1 200 OK\r\na:${" ".repeat(60_000)}\n\r\n\r\n`),
    code: "REGISTRY_UNAVAILABLE",
    says: /malformed header/,
  },
  "a redirect that goes round": {
    answer: (request, response) => void response.writeHead(302, { location: request.url }).end(),
    code: "REGISTRY_UNAVAILABLE",
    says: /more than 5 redirects/,
  },
  "a redirect to no web address": {
    answer: redirect("file:///etc/passwd"),
    code: "REGISTRY_UNAVAILABLE",
    says: /a redirect leads/,
  },
  "an upload at a private address": {
    answer: (_, response) => void response.writeHead(202, { location: "http://192.168.7.7/upload" }).end(),
    ask: upload,
    code: "REGISTRY_REFUSED",
    says: /leads to 192\.168\.7\.7/,
    dialled: false,
  },
  "a token service at a metadata address": {
    answer: challenge('Bearer realm="http://169.254.169.254/token",service="x"'),
    code: "REGISTRY_REFUSED",
    says: /leads to 169\.254\.169\.254/,
    dialled: false,
  },
  "429 with a Retry-After of an hour": {
    answer: (_, response) =>
      void response.writeHead(429, { "retry-after": "3600" }).end('{"errors":[{"code":"TOOMANYREQUESTS"}]}'),
    code: "REGISTRY_UNAVAILABLE",
    says: /answered 429 \(TOOMANYREQUESTS\)/,
  },
  "a page as an error": {
    answer: (_, response) => {
      const page = "<!doctype html><html><title>Oops</title><body><h1>502 Bad Gateway</h1></body></html>";
      response.writeHead(502, { "content-type": "text/html" }).end(page);
    },
    code: "REGISTRY_UNAVAILABLE",
    says: /\(Oops 502 Bad Gateway\).*text\/html, so it may come from something else/,
  },
  "a page as a manifest": {
    answer: (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>Log in"),
    code: "REGISTRY_REFUSED",
    says: /text\/html/,
  },
  "405 to a push": {
    answer: (_, response) => {
      response.writeHead(405, { allow: "GET, HEAD", "content-type": "text/plain" }).end("Method not allowed");
    },
    ask: putTag,
    code: "REGISTRY_REFUSED",
    says: /read-only at present/,
  },
  "a Content-Length that is too small": {
    answer: (_, response) => raw(response, 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{"schemaVersion":2}'),
    ask: getDigest,
    code: "DIGEST_MISMATCH",
    says: /was expected/,
  },
  "a Content-Length that is no number": {
    answer: (_, response) => raw(response, "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}"),
    code: "REGISTRY_UNAVAILABLE",
    says: /length of the answer is no number/,
  },
  "two Content-Lengths": {
    answer: (_, response) => raw(response, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    code: "REGISTRY_UNAVAILABLE",
    says: /several lengths/,
  },
  "something else than HTTP": {
    answer: (_, response) => raw(response, "SSH-2.0-OpenSSH_9.6\r\n"),
    code: "REGISTRY_UNAVAILABLE",
    says: /no answer from/,
  },
  "a manifest that comes drop by drop": {
    answer: (_, response) => drip(response),
    code: "REGISTRY_UNAVAILABLE",
    says: /bytes of the answer in \d+ s/,
  },
  "a blob that comes drop by drop": {
    answer: (_, response) => {
      response.writeHead(200, { "content-length": 1_000_000 });
      drip(response);
    },
    ask: readBlob,
    code: "REGISTRY_UNAVAILABLE",
    says: /bytes of the answer in \d+ s/,
  },
  "a token that comes drop by drop": {
    answer: (request, response, path) => {
      if (path === "token") drip(response);
      else challenge(tokenService(request, "a-token-that-comes-drop-by-drop"))(request, response, path);
    },
    code: "REGISTRY_UNAVAILABLE",
    says: /get a token from/,
  },
  "headers that come drop by drop": {
    answer: (_, response) => {
      raw(response, "HTTP/1.1 200 OK\r\n", false);
      const timer = setInterval(() => response.socket?.write("x-drop: y\r\n"), 500);
      response.socket?.once("close", () => clearInterval(timer));
    },
    code: "REGISTRY_UNAVAILABLE",
    says: /no answer within \d+ s/,
  },
  "no answer at all": {
    answer: () => undefined,
    code: "REGISTRY_UNAVAILABLE",
    says: /no answer within \d+ s/,
  },
  "a challenge that makes no sense": {
    answer: challenge('=;="\\'),
    code: "REGISTRY_UNAUTHORIZED",
    says: /does not say how to authorize/,
  },
  "a challenge of an unknown kind": {
    answer: challenge('Digest realm="x", nonce="y"'),
    code: "REGISTRY_UNAUTHORIZED",
    says: /asks for digest, which is unknown here/,
  },
  "a challenge without a token service": {
    answer: challenge('Bearer service="x"'),
    code: "REGISTRY_UNAUTHORIZED",
    says: /names no token service/,
  },
  "a token service at a file": {
    answer: challenge('Bearer realm="file:///etc/passwd"'),
    code: "REGISTRY_UNAUTHORIZED",
    says: /at file:\/\/.*no credentials are sent/,
  },
  "a challenge of 1 MB": {
    answer: (_, response) => raw(response, `HTTP/1.1 401 No\r\nwww-authenticate: ${"a=b,".repeat(262_144)}\r\n\r\n`),
    code: "REGISTRY_UNAVAILABLE",
    says: /more than 65536 bytes of headers/,
  },
};

/** Large blobs are read another way. */
const bulkCases = Object.entries(cases)
  .filter(([, { ask }]) => ask === readBlob)
  .map(([name, lie]): [string, Case] => [
    `${name}, read in bulk`,
    { ...lie, ask: (client, repository) => drain(client, repository, true) },
  ]);

/** Every lie, each in a repository of its own. */
export const lies: readonly Lie[] = [...Object.entries(cases), ...bulkCases].map(([name, lie]) => ({
  name,
  repository: name.toLowerCase().replace(/[^a-z0-9]+/g, "-"),
  ...lie,
}));

/** Asks a registry for what it lies about. */
export async function askLiar(client: RegistryClient, { repository, ask = getTag }: Lie): Promise<unknown> {
  return await ask(client, repository);
}
