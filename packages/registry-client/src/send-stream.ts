import type { ClientRequest, IncomingMessage } from "node:http";

import type { RequestStream } from "./registry-transport.ts";

/** How long a registry may take no byte of a body that is sent to it. */
const stalledMs = 60_000;
/** How long the answer may take once all was sent: storing it takes registries on object stores their time. */
const answerMs = 300_000;

/** Sends a body while it is read. What goes wrong ends the request with an error. */
export async function sendStream(outgoing: ClientRequest, { chunks, sizeBytes }: RequestStream): Promise<void> {
  const watch = watchTaking(outgoing);
  let sentBytes = 0;
  let complete = true;
  try {
    for await (const chunk of chunks) {
      complete = !outgoing.destroyed && watch.answer === undefined;
      if (!complete) break;
      sentBytes += chunk.byteLength;
      if (sizeBytes !== undefined && sentBytes > sizeBytes)
        throw new Error(`the body has more than the ${sizeBytes} bytes that were announced`);
      await watch.write(chunk);
    }
  } catch (error) {
    outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
    return;
  } finally {
    watch.stop();
  }
  const { answer } = watch;
  if (sizeBytes === undefined ? complete : sentBytes === sizeBytes) end(outgoing);
  // Who answers before all has arrived wants no more of it; the connection is of no use once the answer has been read.
  else if (answer !== undefined) answer.once("close", () => outgoing.destroy());
  else outgoing.destroy(new Error(`the body ended after ${sentBytes} of ${sizeBytes} bytes`));
}

interface TakingWatch {
  /** Once there is one, nothing more is wanted. */
  readonly answer: IncomingMessage | undefined;
  /** Resolves when all of it is on its way, or nobody wants it any more. */
  write(chunk: Uint8Array): Promise<void>;
  stop(): void;
}

/** One timer and two listeners for all chunks: new ones for each would take as long as to send it. */
function watchTaking(outgoing: ClientRequest): TakingWatch {
  let answer: IncomingMessage | undefined;
  let goOn: (() => void) | undefined;
  const settle = (): void => {
    goOn?.();
    goOn = undefined;
  };
  const timer = setTimeout(() => {
    if (goOn !== undefined) outgoing.destroy(new Error(`no byte of the body was taken for ${stalledMs / 1000} s`));
  }, stalledMs);
  outgoing.once("close", settle);
  outgoing.once("response", (incoming) => {
    answer = incoming;
    settle();
  });
  return {
    get answer() {
      return answer;
    },
    write: (chunk) =>
      new Promise((resolve) => {
        goOn = resolve;
        timer.refresh();
        outgoing.write(chunk, settle);
      }),
    stop: () => clearTimeout(timer),
  };
}

function end(outgoing: ClientRequest): void {
  const tooSlow = (): void => void outgoing.destroy(new Error(`no answer within ${answerMs / 1000} s of the body`));
  const timer = setTimeout(tooSlow, answerMs);
  for (const event of ["response", "close"]) outgoing.once(event, () => clearTimeout(timer));
  outgoing.end();
}
