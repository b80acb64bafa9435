import type { RegistryRequest } from "../registry-transport.ts";
import { isRequestStream } from "../registry-transport.ts";

/** What the head of a request says beside what the request does. */
export interface RequestHeadOptions {
  /** What stands in the request line. @defaultValue path and query */
  readonly target?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The head of a request. @throws `TypeError` for a header that HTTP does not allow; its value is not shown, which may be a secret */
export function formatHead(request: RegistryRequest, { target, headers }: RequestHeadOptions): string {
  const { method, url } = request;
  const fields = { host: url.host, ...headers, ...request.headers, ...lengthOf(request) };
  let head = `${method} ${target ?? url.pathname + url.search} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(fields)) {
    if (/[^\w!#$%&'*+.^`|~-]/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new TypeError(`the header ${JSON.stringify(name)} has a character that HTTP does not allow`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

/** Also of no body at all, where one is expected: registries refuse uploads that do not say so. */
function lengthOf({ body, method }: RegistryRequest): Record<string, string> {
  if (body === undefined) return ["POST", "PUT", "PATCH"].includes(method) ? { "content-length": "0" } : {};
  const length =
    typeof body === "string" ? Buffer.byteLength(body) : isRequestStream(body) ? body.sizeBytes : body.byteLength;
  if (length === undefined) return { "transfer-encoding": "chunked" };
  return { "content-length": String(length) };
}
