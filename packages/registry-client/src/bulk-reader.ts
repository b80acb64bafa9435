import type { Agent } from "node:http";
import type { Socket } from "node:net";

import type { RegistryRequest } from "./registry-transport.ts";

const readBytes = 256 * 1024;
/** How long what has arrived may wait for more. */
const gatherMs = 100;

/** A connection from which one thing after the other is read into the same memory. */
export interface BulkReader {
  readonly socket: Socket;
  /** The next bytes, until the one after them is asked for; `undefined` at the end. */
  readonly next: () => Promise<Uint8Array | undefined>;
  readonly close: () => void;
}

interface ReadState {
  /** Where reads go, from its start on. */
  memory: Uint8Array;
  /** How much of it holds what nobody has asked for yet. */
  filledBytes: number;
  /** What is handed out next. */
  arrived?: Uint8Array;
  failure?: Error;
  ended?: true;
}

/**
 * Connects, and reads into the memory that the request offers until that is full, else always into the same: every part that is handed out costs more than to
 * read it. What comes slowly is handed out as it is.
 */
export function openReader(request: RegistryRequest, agent: Agent): BulkReader {
  const { signal, bulk } = request;
  const scratch: Uint8Array = Buffer.allocUnsafeSlow(readBytes);
  const state: ReadState = { memory: scratch, filledBytes: 0 };
  let wake: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const handOut = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const { memory, filledBytes } = state;
    state.arrived = memory.subarray(0, filledBytes);
    // Whoever reads has not seen it yet.
    const rest = memory.subarray(filledBytes);
    const next = memory === scratch || rest.byteLength === 0 ? bulk?.(filledBytes) : rest;
    state.memory = next === undefined || next.byteLength === 0 ? scratch : next;
    state.filledBytes = 0;
    wake();
  };
  const callback = (sizeBytes: number): boolean => {
    state.filledBytes += sizeBytes;
    const goesOn = state.memory !== scratch && state.filledBytes < state.memory.byteLength;
    if (goesOn) timer ??= setTimeout(pause, gatherMs);
    else handOut();
    return goesOn;
  };
  const buffer = (): Uint8Array => state.memory.subarray(state.filledBytes);
  const options = { ...connectOptions(request, agent), onread: { buffer, callback } };
  const socket = agent.createConnection(options as object) as Socket;
  const pause = (): void => {
    socket.pause();
    handOut();
  };
  const end = (): void => {
    state.ended = true;
    if (state.filledBytes > 0) handOut();
    else wake();
  };
  const leave = (): void => {
    socket.destroy();
  };
  signal.addEventListener("abort", leave, { once: true });
  socket.on("end", end).on("error", (error) => (state.failure = error));
  socket.on("close", () => {
    signal.removeEventListener("abort", leave);
    end();
  });
  const wait = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    wake = () => {
      resolve(undefined);
    };
    socket.resume();
    await promise;
  };
  return {
    socket,
    close: leave,
    next: async () => {
      delete state.arrived;
      if (state.ended !== true) await wait();
      return takeArrived(state);
    },
  };
}

function takeArrived({ arrived, failure }: ReadState): Uint8Array | undefined {
  if (arrived === undefined && failure !== undefined) throw failure;
  return arrived;
}

function connectOptions({ url }: RegistryRequest, agent: Agent): object {
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    ...(agent as Agent & { readonly options?: object }).options,
    host,
    port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
    ...(isSecure && !/^[\d.]+$|:/.test(host) ? { servername: host } : {}),
  };
}
