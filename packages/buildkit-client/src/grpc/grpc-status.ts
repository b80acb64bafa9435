import type { IncomingHttpHeaders } from "node:http2";

/** The status codes of gRPC that this client tells apart. */
export const grpcCode = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  internal: 13,
  unavailable: 14,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

/** A call that the daemon answered with a status other than OK. */
export class GrpcStatusError extends Error {
  /** gRPC's number, for example 12 for "unimplemented". */
  readonly status: number;
  /** The bytes of a `google.rpc.Status`, if the daemon sent one. */
  readonly statusDetails: Uint8Array | undefined;
  /** The daemon ended the call without a status, as it does when an error is too long for the trailers. */
  readonly reset: boolean;

  constructor(
    status: number,
    message: string,
    more: { readonly statusDetails?: Uint8Array; readonly reset?: boolean } = {},
  ) {
    super(message);
    this.name = "GrpcStatusError";
    this.status = status;
    this.statusDetails = more.statusDetails;
    this.reset = more.reset ?? false;
  }
}

/** Undefined when the trailers say OK. */
export function statusErrorOf(method: string, trailers: IncomingHttpHeaders): GrpcStatusError | undefined {
  const status = Number(trailers["grpc-status"]);
  if (status === grpcCode.ok) return undefined;
  const message = decodeGrpcMessage(headerText(trailers["grpc-message"]));
  const details = headerText(trailers["grpc-status-details-bin"]);
  const statusDetails = details === "" ? {} : { statusDetails: Buffer.from(details, "base64") };
  return new GrpcStatusError(status, message || `${method} ended with gRPC status ${status}.`, statusDetails);
}

function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? (value[0] ?? "") : (value ?? "");
}

/** `grpc-message` is percent-encoded UTF-8; what is not valid is shown as it came. */
export function decodeGrpcMessage(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

// grpc-go means to accept header lists of 8 KiB only; the text must leave room for its percent signs.
const maxMessageBytes = 2048;

/** The form in which a message may stand in a trailer. */
export function encodeGrpcMessage(message: string): string {
  const bytes = Buffer.from(message).subarray(0, maxMessageBytes);
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}

/** The trailers with which a server ends a call. */
export function statusTrailers(code: number, message: string): Record<string, string> {
  return { "grpc-status": String(code), ...(message === "" ? {} : { "grpc-message": encodeGrpcMessage(message) }) };
}
