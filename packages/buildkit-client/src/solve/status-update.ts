/** What happened in a build since the update before. Times are of this machine's clock. */
export interface StatusUpdate {
  readonly vertices: readonly Vertex[];
  readonly progress: readonly VertexProgress[];
  readonly logs: readonly VertexLog[];
  readonly warnings: readonly VertexWarning[];
}

/** A node of the build graph. It comes again whenever it changes: announced, started, completed; the last one counts. */
export interface Vertex {
  readonly digest: string;
  /** Digests of what it builds on. */
  readonly inputs: readonly string[];
  /** For example `[build 2/4] RUN make`. */
  readonly name: string;
  readonly cached: boolean;
  readonly startedMs?: number;
  readonly completedMs?: number;
  /** Why it failed. */
  readonly error?: string;
  /** Vertices of one group are shown as one row; a weak group only where nothing else shows. */
  readonly group?: { readonly id: string; readonly name: string; readonly weak: boolean };
}

/** Progress within a vertex: a layer, the context. */
export interface VertexProgress {
  /** Digest of the vertex. */
  readonly vertex: string;
  readonly id: string;
  /** For example `extracting`; empty when the id says it. */
  readonly name: string;
  readonly current: number;
  readonly total?: number;
  readonly timeMs: number;
  readonly startedMs?: number;
  readonly completedMs?: number;
}

/** Output of a vertex; it need not end where a line ends. */
export interface VertexLog {
  /** Digest of the vertex. */
  readonly vertex: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  readonly timeMs: number;
}

/** What BuildKit or its Dockerfile linter advises. */
export interface VertexWarning {
  /** Digest of the vertex. */
  readonly vertex: string;
  readonly message: string;
  readonly detail: readonly string[];
  readonly url?: string;
  readonly file?: string;
  /** Counts from 1. */
  readonly line?: number;
}
