import { connect as connectTcp, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Reads exactly what a proxy answers and leaves the rest of the bytes in the socket. */
async function readUntil(socket: Socket, complete: (answer: Buffer) => number | undefined): Promise<Buffer> {
  let answer = Buffer.alloc(0);
  while (true) {
    const length = complete(answer);
    if (length !== undefined) {
      if (answer.length > length) socket.unshift(answer.subarray(length));
      return answer.subarray(0, length);
    }
    if (answer.length > 64 * 1024) throw new Error("the proxy answered with too long a header");
    answer = Buffer.concat([answer, await readChunk(socket)]);
  }
}

function readChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.off("readable", onReadable).off("end", onEnd).off("error", onError);
    };
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      settle();
      resolve(chunk);
    };
    const onEnd = (): void => {
      settle();
      reject(new Error("the proxy closed the connection"));
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    socket.on("readable", onReadable).on("end", onEnd).on("error", onError);
    onReadable();
  });
}

const userOf = (proxy: URL): string => decodeURIComponent(proxy.username);
const passwordOf = (proxy: URL): string => decodeURIComponent(proxy.password);

async function connectHttp(socket: Socket, proxy: URL, authority: string): Promise<void> {
  const login = Buffer.from(`${userOf(proxy)}:${passwordOf(proxy)}`).toString("base64");
  const authorization = proxy.username ? `Proxy-Authorization: Basic ${login}\r\n` : "";
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  const answer = await readUntil(socket, (bytes) => {
    const end = bytes.indexOf("\r\n\r\n");
    return end < 0 ? undefined : end + 4;
  });
  const [statusLine = ""] = answer.toString("latin1").split("\r\n");
  if (!/^HTTP\/1\.[01] 2\d\d/.test(statusLine)) throw new Error(`the proxy answered "${statusLine}"`);
}

/** Length of the SOCKS5 reply, which depends on the kind of address in it (RFC 1928, section 6). */
function socksReplyLength(bytes: Buffer): number | undefined {
  if (bytes.length < 5) return undefined;
  const addressLength = { 1: 4, 3: 1 + bytes.readUInt8(4), 4: 16 }[bytes.readUInt8(3)] ?? 0;
  const length = 4 + addressLength + 2;
  return bytes.length < length ? undefined : length;
}

const exactly = (length: number) => (bytes: Buffer) => (bytes.length < length ? undefined : length);

async function connectSocks(socket: Socket, proxy: URL, host: string, port: number): Promise<void> {
  const hasLogin = proxy.username !== "";
  socket.write(Buffer.from(hasLogin ? [5, 2, 0, 2] : [5, 1, 0]));
  const method = (await readUntil(socket, exactly(2))).readUInt8(1);
  if (method === 2) {
    const [user, password] = [Buffer.from(userOf(proxy)), Buffer.from(passwordOf(proxy))];
    socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]));
    if ((await readUntil(socket, exactly(2))).readUInt8(1) !== 0) throw new Error("the proxy refused the login");
  } else if (method !== 0) {
    throw new Error("the proxy wants a login that it does not name");
  }
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  const name = Buffer.from(host);
  const address =
    isIP(host) === 4
      ? Buffer.from([1, ...host.split(".").map(Number)])
      : Buffer.concat([Buffer.from([3, name.length]), name]);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), address, portBytes]));
  const reply = (await readUntil(socket, socksReplyLength)).readUInt8(1);
  if (reply !== 0) throw new Error(`the proxy could not connect (SOCKS reply ${reply})`);
}

function connected(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => socket.once(event, resolve).once("error", reject));
}

/**
 * Opens a TCP connection to `host:port` through an http, https or SOCKS5 proxy.
 *
 * @param signal - ends the attempt
 */
export async function dialProxy(proxy: URL, host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const proxyPort = Number(proxy.port) || { "https:": 443, "http:": 80 }[proxy.protocol] || 1080;
  const proxyHost = proxy.hostname.replace(/^\[|\]$/g, "");
  const isTls = proxy.protocol === "https:";
  const socket = isTls
    ? connectTls({ host: proxyHost, port: proxyPort, ...(isIP(proxyHost) ? {} : { servername: proxyHost }) })
    : connectTcp(proxyPort, proxyHost);
  const abandon = (): void => void socket.destroy(new Error("the proxy did not answer in time"));
  signal.addEventListener("abort", abandon, { once: true });
  try {
    await connected(socket, isTls ? "secureConnect" : "connect");
    if (proxy.protocol.startsWith("socks")) await connectSocks(socket, proxy, host, port);
    else await connectHttp(socket, proxy, host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
    return socket;
  } catch (error) {
    socket.destroy();
    throw new Error(`Proxy ${proxy.host}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}
