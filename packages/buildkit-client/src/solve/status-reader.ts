import { TextDecoder } from "node:util";

import type * as messages from "../messages.ts";
import type { Message } from "../protobuf/message-type.ts";
import type { StatusUpdate, Vertex, VertexLog, VertexProgress, VertexWarning } from "./status-update.ts";

type StatusResponse = Message<typeof messages.StatusResponse>;
type WireLog = Message<typeof messages.VertexLog>;
type WireVertex = Message<typeof messages.Vertex>;
type VertexStatus = Message<typeof messages.VertexStatus>;
type WireWarning = Message<typeof messages.VertexWarning>;
type Timestamp = { readonly seconds: bigint; readonly nanos: number };

/** Turns the daemon's status messages into updates: its clock into ours, bytes into text across message borders. */
export class StatusReader {
  readonly #decoders = new Map<string, TextDecoder>();
  #skewMs = 0;

  /** Heeds the header in which the daemon tells its time. */
  readClock(daemonTime: string | string[] | undefined, nowMs: number): void {
    const timeMs = Date.parse(typeof daemonTime === "string" ? daemonTime : "");
    if (!Number.isNaN(timeMs)) this.#skewMs = nowMs - timeMs;
  }

  read(response: StatusResponse): StatusUpdate {
    return {
      vertices: response.vertexes.map((vertex) => this.#vertex(vertex)),
      progress: response.statuses.map((status) => this.#progress(status)),
      logs: response.logs.map((log) => this.#log(log)).filter((log) => log.text !== ""),
      warnings: response.warnings.map(warningOf),
    };
  }

  #vertex(vertex: WireVertex): Vertex {
    const { digest, inputs, name, cached, progressGroup: group } = vertex;
    return {
      digest,
      inputs,
      name,
      cached,
      ...this.#times(vertex),
      ...(vertex.error === "" ? {} : { error: vertex.error }),
      ...(group ? { group: { id: group.id, name: group.name, weak: group.weak } } : {}),
    };
  }

  #progress(status: VertexStatus): VertexProgress {
    return {
      vertex: status.vertex,
      id: status.id,
      name: status.name,
      current: Number(status.current),
      ...(status.total > 0n ? { total: Number(status.total) } : {}),
      timeMs: this.#timeMs(status.timestamp) ?? Date.now(),
      ...this.#times(status),
    };
  }

  #log(log: WireLog): VertexLog {
    const stream = log.stream === 2n ? "stderr" : "stdout";
    const key = `${stream} ${log.vertex}`;
    const decoder = this.#decoders.get(key) ?? new TextDecoder();
    this.#decoders.set(key, decoder);
    const text = decoder.decode(log.msg, { stream: true });
    return { vertex: log.vertex, stream, text, timeMs: this.#timeMs(log.timestamp) ?? Date.now() };
  }

  #times(span: { started?: Timestamp | undefined; completed?: Timestamp | undefined }): {
    startedMs?: number;
    completedMs?: number;
  } {
    const startedMs = this.#timeMs(span.started);
    const completedMs = this.#timeMs(span.completed);
    return { ...(startedMs === undefined ? {} : { startedMs }), ...(completedMs === undefined ? {} : { completedMs }) };
  }

  #timeMs(time: Timestamp | undefined): number | undefined {
    return time && Number(time.seconds) * 1000 + time.nanos / 1e6 + this.#skewMs;
  }
}

function warningOf(warning: WireWarning): VertexWarning {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const file = warning.info?.filename;
  const line = warning.ranges[0]?.start?.line;
  return {
    vertex: warning.vertex,
    message: text(warning.short),
    detail: warning.detail.map(text),
    ...(warning.url === "" ? {} : { url: warning.url }),
    ...(file ? { file } : {}),
    ...(line ? { line } : {}),
  };
}
