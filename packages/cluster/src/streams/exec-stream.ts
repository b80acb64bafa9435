import { Duplex, Readable } from "node:stream";

import { BuilderError } from "@slipway/core";
import type { WebSocket } from "ws";

import { abortError } from "../connection/abort-error.ts";
import { createChannelQueue } from "./channel-queue.ts";
import { channels, parseExecStatus } from "./channel-protocol.ts";
import type { ExecStatus } from "./channel-protocol.ts";
import { createFrameWriter } from "./frame-writer.ts";
import { defaultKeepAlive, startKeepAlive } from "./keep-alive.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import type { StreamSocket } from "./stream-socket.ts";

/** A process in a pod. */
export interface ExecStream extends AsyncDisposable {
  /**
   * Write to its stdin, read from its stdout, both with back-pressure. `end()` closes stdin and goes on reading. stdout ends only
   * behind a status: a lost connection is an error of this stream, never an end.
   *
   * Read it (or call `resume()`): unread output holds the whole connection back, as with a pipe.
   */
  readonly stdio: Duplex;
  /** While nobody reads it, its last 64 KiB are kept and it holds nothing back. */
  readonly stderr: Readable;
  /**
   * How the process ended. Rejects with a `BuilderError` if that cannot be known: POD_LOST, CLUSTER_UNREACHABLE (the connection was
   * cut) or ABORTED. It settles whatever happens, once stdout has been read.
   */
  readonly status: Promise<ExecStatus>;
  /** The last 4 KiB of stderr, for error messages. */
  readonly stderrTail: string;
  /** Ends the connection. The process sees its stdin end, and is not killed. */
  close(): Promise<void>;
}

/** What an {@link ExecStream} needs beside the socket. */
export interface ExecStreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** Finds the error for a connection that ended without a status, or that is silent. */
  readonly explainLoss: (reason: string) => Promise<BuilderError>;
  /** Whether the pod is still there, asked when the connection is silent. Rejects if not. */
  readonly checkPod: () => Promise<void>;
  readonly keepAlive?: KeepAliveOptions;
}

const keptUnreadBytes = 64 * 1024;
const closeGraceMs = 2000;

/** Makes the streams of a paused WebSocket that speaks `channel.k8s.io`, and resumes it. */
export function createExecStream({ socket, connection }: StreamSocket, options: ExecStreamOptions): ExecStream {
  const { signal } = options;
  let execStatus: ExecStatus | undefined;
  let failure: BuilderError | undefined;
  let isPaused = false;
  let isLost = false;
  let closing: Promise<void> | undefined;
  const { promise: status, resolve: resolveStatus, reject: rejectStatus } = Promise.withResolvers<ExecStatus>();
  // Whoever does not ask for the status is told by the streams.
  status.catch(() => undefined);

  const updatePause = (): void => {
    const shouldPause = stdoutQueue.isFull || stderrQueue.isFull;
    if (shouldPause === isPaused) return;
    isPaused = shouldPause;
    if (shouldPause) socket.pause();
    else socket.resume();
  };
  const stdoutQueue = createChannelQueue(() => stdio, updatePause);
  const stderrQueue = createChannelQueue(() => stderr, updatePause, keptUnreadBytes);
  const keepAlive = startKeepAlive(
    socket,
    options.keepAlive ?? defaultKeepAlive,
    () => isPaused,
    (proven) => {
      if (proven) void fail("the API server does not answer");
      else options.checkPod().catch((error: unknown) => failWith(BuilderError.from(error)));
    },
  );
  const writer = createFrameWriter(connection, channels.stdin, () => keepAlive.sent());
  // A process that ends before it has read all of its stdin is no error of the stream: its output and status still count. Without a
  // status, the stream is destroyed when the socket closes.
  const written = (callback: () => void) => (error?: Error | null) => {
    if (!error || execStatus) callback();
  };
  const stdio = new Duplex({
    allowHalfOpen: true,
    readableHighWaterMark: 1024 * 1024,
    writableHighWaterMark: 1024 * 1024,
    read: () => stdoutQueue.pull(),
    write: (chunk: Buffer, _encoding, callback) => writer.write([chunk], written(callback)),
    writev: (entries, callback) => {
      const chunks = entries.map(({ chunk }) => chunk as Buffer);
      writer.write(chunks, written(callback));
    },
    final: (callback) => endStdin(socket, callback, written(callback)),
    destroy: (error, callback) => {
      if (BuilderError.isInstance(error)) failWith(error);
      else abandon("the stream was destroyed");
      callback(error);
    },
  });
  // Failures are told by `status` as well; a stream that nobody listens to must not end the process of the caller.
  stdio.on("error", () => undefined);
  const stderr = new Readable({ read: () => stderrQueue.pull() });
  stderr.on("error", () => undefined);

  const failWith = (error: BuilderError): void => {
    if (failure || execStatus) return;
    failure = error;
    keepAlive.stop();
    socket.terminate();
    rejectStatus(error);
    stdio.destroy(error);
    stderr.destroy(error);
  };
  const fail = async (reason: string): Promise<void> => {
    if (isLost || failure || execStatus) return;
    isLost = true;
    failWith(signal?.aborted ? abortError(signal) : await options.explainLoss(reason));
  };
  const abandon = (reason: string): void => {
    // Whoever gives a lost stream up still learns why it was lost.
    if (isLost) return;
    failWith(new BuilderError({ code: "ABORTED", message: `Aborted: ${reason}`, details: { reason } }));
  };
  const onAbort = (): void => {
    if (signal) failWith(abortError(signal));
  };

  // The API server sends the status last, behind all output.
  const finish = (ended: ExecStatus): void => {
    if (failure || execStatus) return;
    execStatus = ended;
    keepAlive.stop();
    signal?.removeEventListener("abort", onAbort);
    socket.close();
    setTimeout(() => socket.terminate(), closeGraceMs).unref();
    stdoutQueue.end();
    stderrQueue.end();
    resolveStatus(ended);
  };
  socket.on("message", (data: Buffer) => {
    keepAlive.heard();
    const payload = data.subarray(1);
    if (payload.length === 0) return;
    if (data[0] === channels.stdout) stdoutQueue.push(payload);
    else if (data[0] === channels.stderr) stderrQueue.push(payload);
    else if (data[0] === channels.error) finish(parseExecStatus(payload.toString("utf8")));
  });
  socket.on("error", () => undefined);
  socket.on("close", (code) => {
    keepAlive.stop();
    signal?.removeEventListener("abort", onAbort);
    void fail(`the connection ended without a status, WebSocket code ${code}`);
  });
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  socket.resume();

  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      if (socket.readyState === socket.CLOSED) resolve();
      else socket.once("close", () => resolve());
      abandon("the stream was closed");
    });
    return closing;
  };
  return {
    stdio,
    stderr,
    status,
    get stderrTail() {
      return stderrQueue.tail;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function endStdin(
  socket: WebSocket,
  refuse: (error: BuilderError) => void,
  callback: (error?: Error | null) => void,
): void {
  if (socket.protocol.startsWith("v5.")) {
    socket.send(Buffer.from([channels.close, channels.stdin]), { binary: true }, callback);
  } else if (socket.readyState === socket.OPEN) {
    const thrown = "stdin cannot be ended: the API server speaks no v5.channel.k8s.io (Kubernetes 1.30 and later do)";
    refuse(new BuilderError({ code: "INTERNAL", message: thrown, details: { thrown } }));
  } else callback();
}
