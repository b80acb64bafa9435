/** A failure that a registry caused, read from BuildKit's text: it has no type of its own. */
export interface RegistryFailure {
  readonly code: "REGISTRY_UNAUTHORIZED" | "REGISTRY_UNAVAILABLE" | "REGISTRY_REFUSED";
  readonly registry: string;
  readonly status?: number;
}

const unexpectedStatus =
  /unexpected status (?:code )?(?:from \w+ request to )?(?<url>https?:\/\/\S+?):? (?<status>\d{3})\b/;
const failedRequest = /failed to do request: \w+ "(?<url>[^"]+)"/;
const unreachable =
  /no such host|i\/o timeout|connection re(?:fused|set)|unexpected EOF|TLS handshake|toomanyrequests/i;
const denied =
  /denied|unauthorized|authentication required|no basic auth credentials|authorization failed|failed to authorize|pull access denied|insufficient_scope|failed to fetch (?:oauth|anonymous) token/i;
const refusedPush = /failed to push \S+: (?!invalid reference)/;
const reference =
  /(?:failed to push|failed to resolve source metadata for|failed to configure registry cache \w+|error writing (?:layer|manifest) blob for) (?<reference>[^\s:]+(?::\d+)?\/[^\s:@]+)/;

/** Undefined when the text is about something else, such as an image that does not exist. */
export function readRegistryFailure(message: string): RegistryFailure | undefined {
  const answered = unexpectedStatus.exec(message)?.groups;
  const unanswered = failedRequest.exec(message)?.groups;
  const registry =
    registryOfReference(reference.exec(message)?.groups?.["reference"]) ??
    hostOf(answered?.["url"] ?? unanswered?.["url"]);
  if (registry === undefined) return undefined;
  if (answered) {
    const status = Number(answered["status"]);
    return { code: codeOfStatus(status), registry, status };
  }
  if (unanswered) return { code: "REGISTRY_UNAVAILABLE", registry };
  if (denied.test(message)) return { code: "REGISTRY_UNAUTHORIZED", registry };
  if (unreachable.test(message)) return { code: "REGISTRY_UNAVAILABLE", registry };
  // What a registry says to a push in its own words; a pull may just name an image that does not exist.
  return refusedPush.test(message) ? { code: "REGISTRY_REFUSED", registry } : undefined;
}

function codeOfStatus(status: number): RegistryFailure["code"] {
  if (status === 401 || status === 403) return "REGISTRY_UNAUTHORIZED";
  return status >= 500 || status === 429 ? "REGISTRY_UNAVAILABLE" : "REGISTRY_REFUSED";
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;
}

function registryOfReference(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const first = name.slice(0, name.indexOf("/"));
  return first === "localhost" || /[.:]/.test(first) ? first : "docker.io";
}
