import type { RequestStream } from "../registry-transport.ts";
import type { Connection } from "./connection.ts";

/** How long a registry may take no byte of a body that is sent to it. */
const stalledMs = 60_000;
/** How long the answer may take once all was sent: storing it takes registries on object stores their time. */
const answerMs = 300_000;

/**
 * Sends a body while it is read, until its end or the answer, whichever comes first: who answers before all has arrived wants no more of it. What goes
 * wrong ends the connection with an error.
 *
 * @returns whether all of it was sent, and the answer is about all of it
 */
export async function sendBody(
  connection: Connection,
  { chunks, sizeBytes }: RequestStream,
  answer: Promise<unknown>,
): Promise<boolean> {
  const writing = watchWriting(connection, answer);
  let sentBytes = 0;
  try {
    for await (const chunk of chunks) {
      if (writing.isAnswered()) return false;
      sentBytes += chunk.byteLength;
      if (sizeBytes !== undefined && sentBytes > sizeBytes)
        throw new Error(`the body has more than the ${sizeBytes} bytes that were announced`);
      if (chunk.byteLength > 0) await writing.write(chunk, sizeBytes === undefined);
    }
    if (writing.isAnswered()) return sentBytes === sizeBytes;
    if (sizeBytes === undefined) connection.stream.write("0\r\n\r\n", "latin1");
    else if (sentBytes < sizeBytes) throw new Error(`the body ended after ${sentBytes} of ${sizeBytes} bytes`);
    writing.awaitAnswer();
    return true;
  } catch (error) {
    connection.fail(error instanceof Error ? error : new Error(String(error)));
    return false;
  } finally {
    writing.stop();
  }
}

interface Writing {
  /** Once there is an answer, or none to come any more, nothing more is wanted. */
  isAnswered(): boolean;
  /** Resolves when all of it is on its way, or nobody wants it any more. */
  write(chunk: Uint8Array, framed: boolean): Promise<void>;
  awaitAnswer(): void;
  stop(): void;
}

/** One timer and one listener for all chunks: new ones for each would take as long as to send it. */
function watchWriting(connection: Connection, answer: Promise<unknown>): Writing {
  const { stream } = connection;
  let isAnswered = false;
  let goOn: (() => void) | undefined;
  let answerTimer: NodeJS.Timeout | undefined;
  const taken = (): void => {
    goOn?.();
    goOn = undefined;
  };
  const timer = setTimeout(() => {
    if (goOn !== undefined) connection.fail(new Error(`no byte of the body was taken for ${stalledMs / 1000} s`));
  }, stalledMs);
  const settle = (): void => {
    isAnswered = true;
    clearTimeout(answerTimer);
    taken();
  };
  answer.then(settle, settle);
  return {
    isAnswered: () => isAnswered,
    write: (chunk, framed) =>
      new Promise((resolve) => {
        goOn = resolve;
        timer.refresh();
        if (!framed) {
          stream.write(chunk, taken);
          return;
        }
        stream.cork();
        stream.write(`${chunk.byteLength.toString(16)}\r\n`, "latin1");
        stream.write(chunk);
        stream.write("\r\n", "latin1", taken);
        stream.uncork();
      }),
    awaitAnswer: () => {
      const tooSlow = (): void => {
        connection.fail(new Error(`no answer within ${answerMs / 1000} s of the body`));
      };
      if (!isAnswered) answerTimer = setTimeout(tooSlow, answerMs);
    },
    stop: () => {
      clearTimeout(timer);
    },
  };
}
