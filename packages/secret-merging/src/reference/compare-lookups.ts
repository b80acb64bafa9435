import { isDeepStrictEqual } from "node:util";

import type { DockerCliEntry } from "../docker-cli/docker-cli-config.ts";
import { dockerCliLookup } from "../docker-cli/docker-cli-lookup.ts";
import { kubeletLookup } from "../kubelet/kubelet-lookup.ts";
import type { GoAnswer, GoLogin } from "./go-reference.ts";
import type { DockerLookupCase, KeyringCase } from "./lookup-cases.ts";

const decode = (text: string | null | undefined): string => Buffer.from(text ?? "", "base64").toString("utf8");

/** Whether our answer is the kubelet's. What it has in an order of its own may come in any order. */
export function isKubeletAnswer({ secrets, image }: KeyringCase, theirs: GoAnswer): boolean {
  const data = secrets.map((secret, index) => ({
    namespace: "builds",
    name: `s${index}`,
    type: secret.type,
    data: Object.fromEntries(Object.entries(secret.data).map(([key, text]) => [key, Buffer.from(text)])),
  }));
  const { credentials, failure } = kubeletLookup(data, image);
  if (failure !== undefined || theirs.failed === true) return failure !== undefined && theirs.failed === true;
  const logins = theirs.logins.map((login) => [decode(login.username), decode(login.password)].join("\n"));
  const ours = credentials.map(({ username, password }) => [username, password].join("\n"));
  const groups = credentials.map(({ key, source }) => `${source} ${key}`);
  const sorted = (texts: readonly string[]): string[] =>
    texts
      .map((text, index) => ({ text, group: groups.indexOf(groups[index] ?? "") }))
      .sort((first, second) => first.group - second.group || (first.text < second.text ? -1 : 1))
      .map(({ text }) => text);
  return isDeepStrictEqual(sorted(ours), sorted(logins));
}

/** Whether our answer is Docker's, or leaves open what Docker leaves open. */
export function isDockerAnswer({ config, authVariable, host }: DockerLookupCase, theirs: GoAnswer): boolean {
  const ours = dockerCliLookup({ config, authVariable }, host);
  if (ours.type === "failure" || theirs.failed === true) return ours.type === "failure" && theirs.failed === true;
  if ((theirs.helper ?? "") !== (ours.type === "helper" ? ours.helper : "")) return false;
  const entries = ours.type === "none" ? [] : ours.entries;
  const [login] = theirs.logins;
  return login === undefined ? entries.length === 0 : entries.some((entry) => isSame(entry, login));
}

function isSame(entry: DockerCliEntry, login: GoLogin): boolean {
  return (
    entry.username === decode(login.username) &&
    entry.password === decode(login.password) &&
    entry.identityToken === decode(login.identityToken) &&
    entry.registryToken === decode(login.registryToken)
  );
}
