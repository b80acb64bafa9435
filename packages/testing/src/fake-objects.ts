/** A Secret of a fake cluster. */
export interface FakeSecret {
  /** @defaultValue `"Opaque"` */
  readonly type?: string;
  /** Texts, or bytes; not base64. */
  readonly data: Readonly<Record<string, string | Uint8Array>>;
}

/** A ServiceAccount of a fake cluster. */
export interface FakeServiceAccount {
  /** Names of Secrets in its namespace. */
  readonly imagePullSecrets: readonly string[];
}
