/** Subprotocols for exec and attach, best first. Only v5 (Kubernetes ≥ 1.30) can end stdin and go on. */
export const remoteCommandProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;

/** The first byte of each frame. */
export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;

/** Larger frames save time per frame, smaller ones memory. The API server reads a frame as a whole, up to 32 MiB. */
export const largestFrameBytes = 1024 * 1024;

/** What the error channel says at the end: a `Status` object. */
export interface RemoteStatus {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** How a command ended. */
export interface ExecStatus {
  /** `undefined` if it could not be started. 0 says little about an upload: use {@link sendVerified}. */
  readonly exitCode: number | undefined;
  /** Why it could not be started, or how it ended, in the words of the container runtime. */
  readonly message: string;
}

/** Reads the frame of the error channel. */
export function parseExecStatus(text: string): ExecStatus {
  let status: RemoteStatus;
  try {
    status = JSON.parse(text) as RemoteStatus;
  } catch {
    return { exitCode: undefined, message: text };
  }
  if (status.status === "Success") return { exitCode: 0, message: "" };
  const message = status.message ?? status.reason ?? text;
  const exitCode = status.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  return { exitCode: exitCode !== undefined && /^\d+$/.test(exitCode) ? Number(exitCode) : undefined, message };
}
