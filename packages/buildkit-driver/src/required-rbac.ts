import type { AccessRule } from "@slipway/cluster";

/** What the driver does in the builder's namespace. `bootstrap` and the first build need all of it. */
export const requiredRbac: readonly AccessRule[] = [
  { verb: "get", group: "apps", resource: "deployments" },
  { verb: "create", group: "apps", resource: "deployments" },
  { verb: "patch", group: "apps", resource: "deployments" },
  { verb: "delete", group: "apps", resource: "deployments" },
  { verb: "list", group: "", resource: "pods" },
  { verb: "watch", group: "", resource: "pods" },
  { verb: "list", group: "", resource: "events" },
  // A WebSocket begins as a GET; newer API servers also ask for the verb of the older protocol.
  { verb: "get", group: "", resource: "pods", subresource: "exec" },
  { verb: "create", group: "", resource: "pods", subresource: "exec" },
];

/** The Pod Security level that the namespace must allow: rootful pods are privileged, rootless ones need unconfined seccomp. */
export const podSecurityLevel = "privileged";
