import type { Connection } from "./connection.ts";

const maxHeadBytes = 64 * 1024;

/** What an answer begins with. */
export interface ResponseHead {
  readonly status: number;
  /** Whether the server speaks HTTP/1.1, where connections are kept unless something else is said. */
  readonly isPersistent: boolean;
  /** By names in small letters; what is there several times is joined. */
  readonly fields: ReadonlyMap<string, string>;
  /** What of the body came with it. */
  readonly rest: Buffer;
}

/** The head of the answer, after those that only announce it (`103`). @throws `Error` for what is not HTTP */
export async function readHead({ next }: Pick<Connection, "next">): Promise<ResponseHead> {
  let read = Buffer.alloc(0);
  for (;;) {
    const end = read.indexOf("\r\n\r\n");
    if (end !== -1) {
      const head = parseHead(read.toString("latin1", 0, end));
      read = read.subarray(end + 4);
      if (head.status >= 200) return { ...head, rest: read };
      if (head.status === 101) throw new Error("the answer changes to another protocol");
      continue;
    }
    if (read.length > maxHeadBytes) throw new Error(`the answer has more than ${maxHeadBytes} bytes of headers`);
    const part = await next();
    if (part === undefined)
      throw new Error(
        read.length === 0 ? "the connection ended before an answer" : "the connection ended within the headers",
      );
    read = Buffer.concat([read, part]);
  }
}

function parseHead(head: string): Omit<ResponseHead, "rest"> {
  const [first = "", ...lines] = head.split("\r\n");
  const [, version, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) throw new Error("the answer is not HTTP");
  const fields = new Map<string, string>();
  for (const line of lines) {
    // Each character is looked at once: a pattern with several ways to match can take hours for a line.
    const [, name = "", text = ""] = /^([\w!#$%&'*+.^`|~-]+):([^\r\n]*)$/.exec(line) ?? [];
    const value = text.trim();
    const key = name.toLowerCase();
    const known = fields.get(key);
    if (key === "") throw new Error("the answer has a malformed header");
    if (known !== undefined && key === "content-length") throw new Error("the answer has several lengths");
    fields.set(key, known === undefined ? value : `${known}, ${value}`);
  }
  const isKept = !/\bclose\b/i.test(fields.get("connection") ?? "");
  return { status: Number(status), isPersistent: version === "1" && isKept, fields };
}
