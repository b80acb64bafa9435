import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";

import { expect, test } from "vitest";

import { startFakeApiServer } from "../__fixtures__/fake-api-server.ts";
import type { FakeApiServer } from "../__fixtures__/fake-api-server.ts";
import { parseTrailer, sendVerified } from "./send-verified.ts";

const success = Buffer.concat([Buffer.from([3]), Buffer.from('{"status":"Success"}')]);

/** Runs what is sent to it in a shell of this machine; `tamper` may change what arrives. */
function serveShell(tamper: (stdin: Buffer) => Buffer = (stdin) => stdin): Promise<FakeApiServer> {
  return startFakeApiServer({
    socket: (socket, request) => {
      const [file = "", ...argv] = new URL(request.url ?? "", "http://x").searchParams.getAll("command");
      const received: Buffer[] = [];
      socket.on("message", (data: Buffer) => {
        if (data[0] === 0) received.push(data.subarray(1));
        if (data[0] !== 255) return;
        const stdout = execFileSync(file, argv, { input: tamper(Buffer.concat(received)), maxBuffer: 1e8 });
        socket.send(Buffer.concat([Buffer.from([1]), stdout]));
        socket.send(success);
      });
    },
  });
}

const upload = (server: FakeApiServer, source: Iterable<Uint8Array>, script: string) =>
  sendVerified(server.cluster, { namespace: "builds", pod: "p", command: ["sh", "-c", script], source });
const data = randomBytes(3_000_000);
const sha256 = createHash("sha256").update(data).digest("hex");

test("tells size, digest, exit code and output of the command", async () => {
  await using server = await serveShell();
  expect(await upload(server, [data.subarray(0, 10), data.subarray(10)], "wc -c; exit 3")).toEqual({
    sizeBytes: data.length,
    sha256,
    exitCode: 3,
    output: "3000000\n",
  });
});

test("a command that leaves its stdin alone costs nothing of the proof", async () => {
  await using server = await serveShell();
  expect(await upload(server, [data], "head -c 1 >/dev/null")).toMatchObject({ sha256, exitCode: 0 });
});

test("what arrives short is CONTEXT_SYNC_FAILED, although every exit code is 0", async () => {
  await using server = await serveShell((stdin) => stdin.subarray(0, 1_000_000));
  await expect(upload(server, [data], "cat >/dev/null")).rejects.toMatchObject({
    code: "CONTEXT_SYNC_FAILED",
    details: { sentBytes: data.length },
    message: expect.stringMatching(/1000000 bytes arrived/) as string,
  });
});

test("a source that fails is not taken for its end", async () => {
  await using server = await serveShell();
  function* failing(): Generator<Uint8Array> {
    yield data;
    throw new Error("file changed");
  }
  await expect(upload(server, failing(), "cat >/dev/null")).rejects.toThrow("file changed");
});

test("does not take the command's own words for the trailer", () => {
  expect(parseTrailer(`\nmarker 0 1 ${"a".repeat(64)}\nmore`, "marker")).toBeUndefined();
  expect(parseTrailer(`x\nmarker 0  7 ${"a".repeat(64)}\n`, "marker")).toEqual({
    exitCode: 0,
    sizeBytes: 7,
    sha256: "a".repeat(64),
    output: "x",
  });
});
