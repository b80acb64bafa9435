import type { BulkReader } from "./bulk-reader.ts";

const maxHeadBytes = 64 * 1024;

/** What an answer begins with. */
export interface ResponseHead {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  /** What of the body came with it. */
  readonly rest: Buffer;
}

/** The head of the answer, after those that only announce it (`103`). */
export async function readHead({ next }: BulkReader): Promise<ResponseHead> {
  let read = Buffer.alloc(0);
  for (;;) {
    const end = read.indexOf("\r\n\r\n");
    if (end !== -1) {
      const head = parseHead(read.toString("latin1", 0, end));
      read = read.subarray(end + 4);
      if (head.status >= 200) return { ...head, rest: read };
      continue;
    }
    if (read.length > maxHeadBytes) throw new Error(`the answer has more than ${maxHeadBytes} bytes of headers`);
    const part = await next();
    if (part === undefined) throw new Error("the connection ended before an answer");
    read = Buffer.concat([read, part]);
  }
}

function parseHead(head: string): Omit<ResponseHead, "rest"> {
  const [first = "", ...lines] = head.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1];
  if (status === undefined) throw new Error("the answer is not HTTP");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    const known = fields.get(name.toLowerCase());
    if (name === "") throw new Error("the answer has a malformed header");
    if (known !== undefined && name.toLowerCase() === "content-length")
      throw new Error("the answer has several lengths");
    fields.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  return { status: Number(status), fields };
}
