import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { BuilderError } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { contextFolder } from "./__fixtures__/context-folder.ts";
import { receiveFiles, requestPacket } from "./__fixtures__/packets.ts";
import { buildOf } from "./__fixtures__/requests.ts";
import type { SolveScript } from "./__fixtures__/scripted-daemon.ts";
import { GrpcAnswer, scriptedDaemon } from "./__fixtures__/scripted-daemon.ts";
import { connectBuildkit } from "./buildkit-client.ts";
import { isConnectionLost } from "./connection-lost-error.ts";
import { GrpcStatusError } from "./grpc/grpc-status.ts";
import * as messages from "./messages.ts";
import type { SolveCall, SolveRequest } from "./solve/solve-request.ts";

const unhandled: unknown[] = [];
const collect = (error: unknown) => void unhandled.push(error);
beforeEach(() => void process.on("unhandledRejection", collect));
afterEach(() => {
  process.off("unhandledRejection", collect);
  expect(unhandled.splice(0)).toEqual([]);
});

const never: SolveScript = () => new Promise(() => undefined);

async function build(script: SolveScript, request: SolveRequest, call: SolveCall = {}) {
  await using client = await connectBuildkit(scriptedDaemon(script).stream);
  return await client.solve(request, call);
}

const thrownBy = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a session", () => {
  test("offers what it serves, under its shared key", async () => {
    const { exporterResponse } = await build(
      (session) =>
        Promise.resolve({
          key: String(session.headers["x-docker-expose-session-sharedkey"]),
          methods: String(session.headers["x-docker-expose-session-grpc-method"]),
        }),
      buildOf("/nowhere"),
    );
    expect(exporterResponse["key"]).toBe("/nowhere");
    expect(exporterResponse["methods"]?.split(", ")).toEqual(
      expect.arrayContaining([
        "/grpc.health.v1.Health/Check",
        "/moby.filesync.v1.FileSync/DiffCopy",
        "/moby.filesync.v1.Auth/Credentials",
      ]),
    );
  });

  test("answers health, credentials and secrets, and says what it does not know", async () => {
    const answers: unknown[] = [];
    const script: SolveScript = async (session) => {
      answers.push(
        messages.decode(
          messages.HealthCheckResponse,
          await session.unary("/grpc.health.v1.Health/Check", new Uint8Array()),
        ).status,
      );
      for (const host of ["known.test", "other.test"]) {
        const request = messages.encode(messages.CredentialsRequest, { host });
        const { username, secret } = messages.decode(
          messages.CredentialsResponse,
          await session.unary("/moby.filesync.v1.Auth/Credentials", request),
        );
        answers.push([username, secret]);
      }
      const secret = messages.encode(messages.GetSecretRequest, { id: "GIT_AUTH_TOKEN" });
      answers.push(
        ((await thrownBy(session.unary("/moby.buildkit.secrets.v1.Secrets/GetSecret", secret))) as GrpcAnswer).status,
      );
      answers.push(
        ((await thrownBy(session.unary("/moby.filesync.v1.Auth/FetchToken", new Uint8Array()))) as GrpcAnswer).status,
      );
      return {};
    };
    const { session, ...request } = buildOf("/nowhere");
    const credentials = (host: string) =>
      Promise.resolve(host === "known.test" ? { username: "u", secret: "p" } : undefined);
    await build(script, { ...request, session: { ...session, credentials } });
    expect(answers).toEqual([1, ["u", "p"], ["", ""], 5, 12]);
  });

  test("answers health within a second while a transfer stands still", async () => {
    using context = contextFolder();
    context.write("large", Buffer.alloc(50_000_000));
    const script: SolveScript = async (session) => {
      const call = session.open("/moby.filesync.v1.FileSync/DiffCopy", { "dir-name": "context" });
      call.send(requestPacket(0));
      await call.next();
      call.stream.pause();
      await delay(200);
      const startMs = performance.now();
      await session.unary("/grpc.health.v1.Health/Check", new Uint8Array());
      return { delayMs: String(performance.now() - startMs) };
    };
    const { exporterResponse, transfers } = await build(script, buildOf(context.path));
    expect(Number(exporterResponse["delayMs"])).toBeLessThan(1000);
    expect(transfers[0]?.wireBytes).toBeLessThan(4_000_000);
  });
});

describe("a transfer", () => {
  test("shows the tree in order and sends exactly what is asked for", async () => {
    using context = contextFolder({ "b.txt": "bb", "a/x": "x", "a-b": "", a2: "2" });
    const script: SolveScript = async (session) => {
      const all = await receiveFiles(session, "context", {}, (path) => path !== "a2");
      const some = await receiveFiles(session, "context", { "exclude-patterns": ["a", "no,comma"] });
      return {
        all: all.paths.join(" "),
        content: JSON.stringify([...all.content].map(([path, bytes]) => [path, bytes.toString()])),
        some: some.paths.join(" "),
      };
    };
    const { exporterResponse, transfers } = await build(script, buildOf(context.path));
    expect(exporterResponse["all"]).toBe("a a/x a-b a2 b.txt");
    expect(JSON.parse(exporterResponse["content"] ?? "")).toEqual([
      ["a/x", "x"],
      ["a-b", ""],
      ["b.txt", "bb"],
    ]);
    expect(exporterResponse["some"]).toBe("a-b a2 b.txt");
    expect(transfers[0]).toMatchObject({
      name: "context",
      files: 4,
      totalBytes: 4,
      sentFiles: 3,
      sentBytes: 3,
      done: true,
    });
  });

  test("sends files of every size around its packets", async () => {
    using context = contextFolder();
    const sizes = [0, 1, 4095, 4096, 65_499, 65_520, 65_521, 65_536, 262_144, 262_145, 1_000_003];
    for (const size of sizes) context.write(`f${String(size).padStart(8, "0")}`, Buffer.alloc(size, `${size} `));
    const script: SolveScript = async (session) => {
      const { content } = await receiveFiles(session, "context");
      const wrong = [...content].filter(([path, bytes]) => !bytes.equals(readFileSync(`${context.path}/${path}`)));
      return { files: String(content.size), wrong: wrong.map(([path]) => path).join() };
    };
    const { exporterResponse } = await build(script, buildOf(context.path));
    expect(exporterResponse).toEqual({ files: String(sizes.length), wrong: "" });
  });

  test("of a directory that the build does not have is refused", async () => {
    const script: SolveScript = async (session) => {
      const refusal = (await thrownBy(receiveFiles(session, "home"))) as Error;
      return { refusal: refusal.message };
    };
    const { exporterResponse } = await build(script, buildOf("/nowhere"));
    expect(exporterResponse["refusal"]).toContain('"home"');
  });

  test("fails when a file changes while it is sent, and names it", async () => {
    using context = contextFolder({ early: "", zlog: "line" });
    const script: SolveScript = async (session) => {
      await receiveFiles(session, "context", {}, (path) => {
        if (path === "zlog") context.write("zlog", "line and more");
        return true;
      });
      return {};
    };
    const error = await thrownBy(build(script, buildOf(context.path)));
    expect(error).toMatchObject({ code: "CONTEXT_INVALID", details: { path: "zlog" } });
  });

  test("tells a request for what has no content", async () => {
    using context = contextFolder({ "a/x": "" });
    const script: SolveScript = async (session) => {
      const call = session.open("/moby.filesync.v1.FileSync/DiffCopy", { "dir-name": "context" });
      call.send(requestPacket(0));
      const answer = (await thrownBy(call.finished())) as Error;
      throw new GrpcAnswer(2, answer.message);
    };
    expect(await thrownBy(build(script, buildOf(context.path)))).toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("entry 0") as string,
    });
  });
});

describe("a connection", () => {
  test("that ends before the daemon answers rejects with a lost connection", async () => {
    const { stream } = scriptedDaemon(never);
    const connecting = thrownBy(connectBuildkit(stream));
    stream.destroy();
    expect(isConnectionLost(await connecting)).toBe(true);
  });

  test("that breaks rejects every pending call, and says so in `closed`", async () => {
    const { stream } = scriptedDaemon(never);
    const client = await connectBuildkit(stream);
    const calls = [client.solve(buildOf("/nowhere")), client.solve(buildOf("/nowhere")), client.prune()].map(thrownBy);
    stream.destroy(new Error("cable cut"));
    for (const error of await Promise.all(calls)) expect(isConnectionLost(error)).toBe(true);
    const reason = await client.closed;
    expect(reason?.cause).toMatchObject({ message: "cable cut" });
    expect(isConnectionLost(await thrownBy(client.info()))).toBe(true);
  });

  test("to a daemon that shuts down finishes what runs, and takes no new call", async () => {
    const going = Promise.withResolvers<undefined>();
    const daemon = scriptedDaemon(async () => {
      await going.promise;
      return { finished: "yes" };
    });
    await using client = await connectBuildkit(daemon.stream);
    const running = client.solve(buildOf("/nowhere"));
    await client.info();
    daemon.shutDown();
    await expect.poll(() => client.info().then(() => false, isConnectionLost), { timeout: 5000 }).toBe(true);
    going.resolve(undefined);
    expect((await running).exporterResponse).toEqual({ finished: "yes" });
  });

  test("that is closed on purpose has no reason", async () => {
    const client = await connectBuildkit(scriptedDaemon(never).stream);
    const pending = thrownBy(client.solve(buildOf("/nowhere")));
    await client.close();
    await client.close();
    expect(await client.closed).toBeUndefined();
    expect(isConnectionLost(await pending)).toBe(true);
  });

  test("cut after any number of bytes ends in a lost connection or a whole build, never in silence", async () => {
    using context = contextFolder();
    for (let index = 0; index < 40; index += 1) context.write(`dir/file-${index}`, Buffer.alloc(index * 1000, index));
    const script: SolveScript = async (session) => ({
      files: String((await receiveFiles(session, "context")).content.size),
    });
    const measured = await cutAfter(Infinity, script, context.path);
    expect(measured.outcome).toEqual({ files: "40" });
    const seed = Date.now() % 100_000;
    console.log(`seed ${seed}`);
    for (let round = 0; round < 60; round += 1) {
      const limit = Math.floor((((seed * (round + 1) * 7919) % 100_003) / 100_003) * (measured.bytes + 2000));
      const { outcome } = await cutAfter(limit, script, context.path);
      if (outcome instanceof Error) expect([limit, isConnectionLost(outcome)]).toEqual([limit, true]);
      else expect(outcome).toEqual({ files: "40" });
    }
  });
});

/** Builds over a connection that breaks once so many bytes went either way. */
async function cutAfter(limit: number, script: SolveScript, path: string) {
  const { stream } = scriptedDaemon(script);
  let bytes = 0;
  const count = (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > limit) stream.destroy();
  };
  const write = stream.write.bind(stream);
  stream.write = ((chunk: Uint8Array, ...rest: never[]) => {
    count(chunk);
    return stream.destroyed ? false : write(chunk, ...rest);
  }) as typeof stream.write;
  stream.on("data", count);
  const outcome = await connectBuildkit(stream)
    .then((client) => client.solve(buildOf(path)).finally(() => client.close()))
    .then(
      ({ exporterResponse }) => exporterResponse,
      (error: unknown) => error,
    );
  return { bytes, outcome };
}

describe("cancelling", () => {
  test("takes the build back and settles also when the daemon does not confirm", async () => {
    const daemon = scriptedDaemon(never);
    await using client = await connectBuildkit(daemon.stream);
    const controller = new AbortController();
    const build = thrownBy(client.solve(buildOf("/nowhere"), { signal: controller.signal }));
    setTimeout(() => controller.abort(new Error("changed my mind")), 50);
    await daemon.solveCanceled;
    expect(await build).toMatchObject({ code: "ABORTED", details: { reason: "changed my mind" } });
    expect((await client.info()).version).toBe("v0.0.0");
  });

  test("passes on a reason that is an error of Slipway", async () => {
    const reason = new BuilderError({ code: "TIMEOUT", message: "Too slow.", details: { timeoutMs: 1 } });
    expect(await thrownBy(build(never, buildOf("/nowhere"), { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe("a failure", () => {
  test("of a callback arrives as it was thrown", async () => {
    const script: SolveScript = async (session) => {
      await session.unary(
        "/moby.filesync.v1.Auth/Credentials",
        messages.encode(messages.CredentialsRequest, { host: "a.test" }),
      );
      return {};
    };
    const thrown = new BuilderError({
      code: "FORBIDDEN",
      message: "No secret.",
      details: { verb: "get", resource: "secrets" },
    });
    const { session, ...request } = buildOf("/nowhere");
    const credentials = () => Promise.reject(thrown);
    expect(await thrownBy(build(script, { ...request, session: { ...session, credentials } }))).toBe(thrown);
  });

  test("outside a build keeps its gRPC status", async () => {
    await using client = await connectBuildkit(scriptedDaemon(never).stream);
    const error = await thrownBy(client.diskUsage());
    expect(error).toBeInstanceOf(GrpcStatusError);
    expect(error).toMatchObject({ status: 12 });
  });
});
