import { BuilderError } from "@slipway/core";

import { withApiStatus } from "./api-status.ts";
import type { ApiStatus } from "./api-status.ts";

/** What was asked of the API server, in the words of RBAC. */
export interface ApiAction {
  readonly verb: string;
  /** Plural, with the subresource: `pods/exec`. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** Who asked whom. */
export interface ApiPeer {
  readonly server: string;
  readonly user?: string | undefined;
}

/** `create pods/exec "builder-0" in namespace "builds"`. */
export function describeAction({ verb, resource, namespace, name }: ApiAction): string {
  const object = name === undefined ? resource : `${resource} "${name}"`;
  return namespace === undefined ? `${verb} ${object}` : `${verb} ${object} in namespace "${namespace}"`;
}

function missingNamespace(status: ApiStatus): string | undefined {
  const terminating = status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating");
  const [, named] =
    /namespaces? "?([a-z0-9-]+)"? (?:not found|because it is being terminated)/.exec(status.message) ?? [];
  if (terminating) return named ?? "";
  return status.code === 404 && status.details?.kind === "namespaces" ? (status.details.name ?? named) : undefined;
}

function unauthorized(peer: ApiPeer): BuilderError {
  const who = peer.user === undefined ? "The API server" : `User "${peer.user}" of the kubeconfig`;
  const what = peer.user === undefined ? "refused the credentials" : "was refused";
  return new BuilderError({
    code: "CLUSTER_UNAUTHORIZED",
    message: `${who} ${what} at ${peer.server} (401). Its token or certificate is invalid or has expired: log in again.`,
    details: peer.user === undefined ? { server: peer.server } : { server: peer.server, user: peer.user },
  });
}

function forbidden(status: ApiStatus, action: ApiAction): BuilderError {
  // The server knows better which of several verbs was missing.
  const [, verb = action.verb, resource = action.resource] =
    /cannot (\w+) resource "([^"]+)"/.exec(status.message) ?? [];
  const { namespace } = action;
  const isPolicy = /violates PodSecurity|exceeded quota|admission webhook/.test(status.message);
  const remedy = isPolicy
    ? "Change the pod or the policy of the namespace."
    : `Grant the verb "${verb}" on "${resource}" by a Role and a RoleBinding.`;
  return new BuilderError({
    code: "FORBIDDEN",
    message: `Not allowed to ${describeAction(action)}: ${status.message}. ${remedy}`,
    details: namespace === undefined ? { verb, resource } : { verb, resource, namespace },
  });
}

function invalid(status: ApiStatus, action: ApiAction): BuilderError {
  const causes = status.details?.causes ?? [];
  const issues = causes.map(({ field, message }) => ({ path: field ?? action.resource, message: message ?? "" }));
  return new BuilderError({
    code: "INVALID_OPTIONS",
    message: `The API server does not accept it (${describeAction(action)}): ${status.message}. Correct the options that this object is made of.`,
    details: { issues: issues.length > 0 ? issues : [{ path: action.resource, message: status.message }] },
  });
}

/** Turns an answer of the API server into the error that says what to do about it; {@link apiStatusOf} finds the answer in it. */
export function apiError(status: ApiStatus, action: ApiAction, peer: ApiPeer): BuilderError {
  return withApiStatus(explain(status, action, peer), status);
}

/** The error for a namespace in which nothing can be made. */
export function namespaceNotFound(
  namespace: string,
  server: string,
  problem: "does not exist" | "is being deleted" = "does not exist",
): BuilderError<"NAMESPACE_NOT_FOUND"> {
  return new BuilderError({
    code: "NAMESPACE_NOT_FOUND",
    message: `Namespace "${namespace}" ${problem} at ${server}. Create it with \`kubectl create namespace ${namespace}\`, or choose another by the namespace option.`,
    details: { namespace },
  });
}

function explain(status: ApiStatus, action: ApiAction, peer: ApiPeer): BuilderError {
  if (status.code === 401) return unauthorized(peer);
  const namespace = missingNamespace(status);
  if (namespace !== undefined) {
    const problem = status.code === 404 ? "does not exist" : "is being deleted";
    return namespaceNotFound(namespace || (action.namespace ?? ""), peer.server, problem);
  }
  if (status.code === 403) return forbidden(status, action);
  if (status.code === 422 || (status.code === 400 && action.verb !== "get")) return invalid(status, action);
  if (status.code === 429 || status.code >= 500) {
    return new BuilderError({
      code: "CLUSTER_UNREACHABLE",
      message: `${peer.server} could not ${describeAction(action)}: ${status.code} ${status.message}. Try again; if it stays, look at the API server's health.`,
      details: { server: peer.server },
    });
  }
  return new BuilderError({
    code: "INTERNAL",
    message: `The API server refused to ${describeAction(action)}: ${status.code} ${status.reason} ${status.message}`,
    details: { thrown: `${status.code} ${status.reason}: ${status.message}` },
    retryable: status.code === 409,
  });
}

const remedies: readonly (readonly [RegExp, string])[] = [
  [/ENOTFOUND|EAI_AGAIN/, "Its name does not resolve: check the server address of the kubeconfig, DNS and VPN."],
  [
    /ECONNREFUSED/,
    "Nothing listens there: check that the cluster runs and that the server address of the kubeconfig is right.",
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|SSL|TLS/,
    "Check certificate-authority-data and tls-server-name in the kubeconfig.",
  ],
  [/^/, "Check the server address of the kubeconfig, VPN, proxy and firewall."],
];

function describeCause(cause: unknown): { code: string; reason: string } {
  const { code = "", message } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : { message: String(cause) };
  // Node joins the failures of several addresses in an AggregateError without a message.
  return { code, reason: message || code };
}

/** The error for a connection that could not be made. */
export function unreachable(server: string, cause: unknown): BuilderError<"CLUSTER_UNREACHABLE"> {
  const { code, reason } = describeCause(cause);
  const [, remedy = ""] = remedies.find(([pattern]) => pattern.test(`${code} ${reason}`)) ?? [];
  const message = `Cannot reach ${server}: ${reason}. ${remedy}`;
  return new BuilderError({ code: "CLUSTER_UNREACHABLE", message, details: { server }, cause });
}

/** The error for a connection that broke while it was used for `doing`. */
export function connectionLost(
  server: string,
  doing: string,
  cause: unknown,
  remedy = "Try again.",
): BuilderError<"CLUSTER_UNREACHABLE"> {
  const message = `Lost the connection through ${server} (${doing}): ${describeCause(cause).reason}. ${remedy}`;
  return new BuilderError({ code: "CLUSTER_UNREACHABLE", message, details: { server }, cause });
}
