import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as net from "node:net";
import { Duplex } from "node:stream";
import { promisify } from "node:util";

import { afterAll, beforeAll } from "vitest";

import { ensureCluster } from "../../../../dev-cluster/src/index.ts";
import type { BuildkitClient } from "../buildkit-client.ts";
import { connectBuildkit } from "../buildkit-client.ts";

/** A real buildkitd for a test file. */
export interface RealDaemon extends AsyncDisposable {
  /** A new stream to the daemon. */
  dial(): Duplex;
  /** A statically linked busybox for build contexts, so that no registry is needed. */
  readonly busybox: Buffer;
  /** Command lines of the processes that the daemon sees. */
  processes(): Promise<string>;
}

const run = promisify(execFile);
const largeBuffer = { encoding: "buffer", maxBuffer: 16 * 1024 * 1024 } as const;

/**
 * A pod of the dev cluster. While working on this package, `BUILDKIT_SOCKET` may name the socket of a buildkitd on this machine and
 * `BUSYBOX` a static busybox.
 */
async function startDaemon(): Promise<RealDaemon> {
  const { BUILDKIT_SOCKET: socket, BUSYBOX: busybox } = process.env;
  return socket !== undefined && busybox !== undefined ? localDaemon(socket, busybox) : await podDaemon();
}

/** A daemon for all tests of a file, and a client of it; both are there once the tests run. */
export function useDaemon(): { readonly daemon: RealDaemon; readonly client: BuildkitClient } {
  const started: { daemon?: RealDaemon; client?: BuildkitClient } = {};
  beforeAll(async () => {
    started.daemon = await startDaemon();
    started.client = await connectBuildkit(started.daemon.dial());
  });
  afterAll(async () => {
    await started.client?.close();
    await started.daemon?.[Symbol.asyncDispose]();
  });
  return {
    get daemon() {
      return there(started.daemon);
    },
    get client() {
      return there(started.client);
    },
  };
}

function there<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("the daemon is started before the first test");
  return value;
}

function localDaemon(socket: string, busybox: string): RealDaemon {
  return {
    dial: () => net.connect(socket),
    busybox: readFileSync(busybox),
    processes: async () => (await run("ps", ["ax", "-o", "args"])).stdout,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function podDaemon(): Promise<RealDaemon> {
  const cluster = await ensureCluster();
  const [program = "kubectl", ...prefix] = cluster.kubectl;
  const pod = `buildkit-client-${randomBytes(4).toString("hex")}`;
  const kubectl = (...args: string[]) => run(program, [...prefix, "-n", "default", ...args], largeBuffer);
  const inPod = (...command: string[]) => ["exec", "-i", pod, "--", ...command];
  const remove = async () => {
    await kubectl("delete", "pod", pod, "--now", "--ignore-not-found");
  };
  const overrides = { spec: { containers: [container(pod, cluster.images.buildkit)], activeDeadlineSeconds: 1800 } };
  await kubectl(
    "run",
    pod,
    `--image=${cluster.images.buildkit}`,
    "--restart=Never",
    `--overrides=${JSON.stringify(overrides)}`,
  );
  try {
    await kubectl("wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=60s");
    const { stdout: busybox } = await kubectl(...inPod("cat", "/bin/busybox"));
    return {
      dial: () => childStream(program, [...prefix, "-n", "default", ...inPod("buildctl", "dial-stdio")]),
      busybox,
      processes: async () => (await kubectl(...inPod("ps", "-o", "args"))).stdout.toString(),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function container(name: string, image: string): object {
  const readinessProbe = { exec: { command: ["buildctl", "debug", "workers"] }, periodSeconds: 1 };
  return { name, image, imagePullPolicy: "Never", securityContext: { privileged: true }, readinessProbe };
}

/** A child process as one stream; ending the stream ends the process. */
function childStream(program: string, args: readonly string[]): Duplex {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  stream.on("close", () => child.kill());
  return stream;
}
