import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import * as messages from "../messages.ts";
import { StatusReader } from "./status-reader.ts";
import type { StatusUpdate } from "./status-update.ts";

/** The status of a running build, as it arrives. */
export interface StatusStream {
  /** Resolves when the daemon has said all: when the stream ends, or is silent for too long. Never rejects. */
  finish(): Promise<void>;
  cancel(): void;
}

const method = "/moby.buildkit.v1.Control/Status";

const silenceMs = 5000;
// The daemon lets this call wait for seconds for a build that it has refused already.
const unheardSilenceMs = 500;

/** Follows a build. What goes wrong with its status shows in the build itself. */
export function followStatus(
  channel: GrpcChannel,
  ref: string,
  onUpdate: (update: StatusUpdate) => void,
): StatusStream {
  const reader = new StatusReader();
  const cancel = new AbortController();
  let silence: NodeJS.Timeout | undefined;
  let heard = false;
  const ended = channel
    .stream(method, messages.encode(messages.StatusRequest, { ref }), {
      signal: cancel.signal,
      onHeaders: (headers) => reader.readClock(headers["buildkit-current-timestamp"], Date.now()),
      onMessage: (message) => {
        heard = true;
        silence?.refresh();
        onUpdate(reader.read(messages.decode(messages.StatusResponse, message)));
      },
    })
    .catch(() => undefined);
  return {
    finish: async () => {
      silence = setTimeout(() => cancel.abort(), heard ? silenceMs : unheardSilenceMs);
      await ended;
      clearTimeout(silence);
    },
    cancel: () => cancel.abort(),
  };
}
