import type { SecretData } from "@slipway/core";

import type { ByteText } from "../go-semantics/byte-text.ts";
import { fromByteText, toByteText } from "../go-semantics/byte-text.ts";
import { GoJsonError } from "../go-semantics/go-json.ts";
import { matchPattern } from "../go-semantics/match-pattern.ts";
import { parseGoUrl } from "../go-semantics/parse-go-url.ts";
import { printsAs } from "../prints-as.ts";
import type { KubeletEntry } from "./kubelet-entry.ts";
import { readKubeletEntries } from "./kubelet-entry.ts";

/** What a kubelet would try for an image. */
export interface KubeletLookup {
  /** In this order. What has the same `key` and `source` it tries in an order of its own, which changes. */
  readonly credentials: readonly KubeletCredential[];
  /** A Secret that is broken: with it among its pull Secrets, a pod pulls nothing at all. */
  readonly failure?: { readonly source: string; readonly problem: string };
}

/** A login that a kubelet would try. It prints, and turns into JSON, as `source` and `key`. */
export interface KubeletCredential {
  readonly source: string;
  /** Where the kubelet files it: host and path. */
  readonly key: string;
  readonly username: string;
  readonly password: string;
}

/**
 * Looks credentials up exactly as the kubelet does it (Kubernetes 1.34, `pkg/credentialprovider`): paths are compared as text, so that
 * `host/foo` serves `host/foobar`; a wildcard stays within one label; ports must be equal; longer keys come first, then the order of the
 * Secrets; Docker Hub's own key serves only if nothing else does.
 *
 * @param secrets - In the order in which the pod, or its ServiceAccount, names them.
 * @param image - Registry and repository in full, `docker.io/library/busybox`, without tag and digest.
 */
export function kubeletLookup(secrets: readonly SecretData[], image: string): KubeletLookup {
  const keyring: FiledEntry[] = [];
  for (const secret of secrets) {
    const source = `secret ${secret.namespace}/${secret.name}`;
    try {
      keyring.push(...(readKubeletEntries(secret) ?? []).map((entry) => ({ ...entry, source })));
    } catch (error) {
      if (!(error instanceof GoJsonError)) throw error;
      return { credentials: [], failure: { source, problem: error.message } };
    }
  }
  return { credentials: lookUp(keyring, toByteText(image)).map(publicEntry) };
}

/** Whether the kubelet finds what is filed under a key of `auths`, as it stands there, for an image. */
export function isFoundByKubelet(key: string, image: string): boolean {
  const data = { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths: { [key]: { auth: "YTpi" } } })) };
  const secret = { namespace: "", name: "", type: "kubernetes.io/dockerconfigjson", data };
  return kubeletLookup([secret], image).credentials.length > 0;
}

interface FiledEntry extends KubeletEntry {
  readonly source: string;
}

function lookUp(keyring: readonly FiledEntry[], image: ByteText): readonly FiledEntry[] {
  const keys = [...new Set(keyring.map((entry) => entry.key))].sort(descending);
  const matching = keys.filter((key) => matchesImage(key, image));
  const found = matching.flatMap((key) => keyring.filter((entry) => entry.key === key));
  if (found.length > 0) return found;
  return isOnDockerHub(image) ? keyring.filter((entry) => entry.key === "index.docker.io") : [];
}

/** By bytes, the greater first. */
function descending(first: ByteText, second: ByteText): number {
  return first < second ? 1 : first > second ? -1 : 0;
}

function publicEntry({ source, key, username, password }: FiledEntry): KubeletCredential {
  const named = { source, key: fromByteText(key) };
  return printsAs({ ...named, username, password }, named);
}

/** Whether the kubelet finds the key good for an image; both are URLs without a scheme. */
export function matchesImage(key: ByteText, image: ByteText): boolean {
  const [wanted, target] = [parseGoUrl(`https://${key}`), parseGoUrl(`https://${image}`)];
  if (wanted === undefined || target === undefined) return false;
  const [pattern, name] = [splitHostPort(wanted.host), splitHostPort(target.host)];
  if (pattern.port !== name.port || pattern.labels.length !== name.labels.length) return false;
  if (!target.path.startsWith(wanted.path)) return false;
  return pattern.labels.every((label, index) => matchPattern(label, name.labels[index] ?? ""));
}

/** What is no `host:port` counts as a host, brackets included. */
function splitHostPort(text: ByteText): { readonly labels: readonly ByteText[]; readonly port: string } {
  const bracketed = /^\[([^[\]]*)\]:([^[\]:]*)$/.exec(text);
  const [, host = text, port = ""] = bracketed ?? /^([^[\]:]*):([^[\]:]*)$/.exec(text) ?? [];
  return { labels: host.split("."), port };
}

function isOnDockerHub(image: ByteText): boolean {
  const [first = "", ...rest] = image.split("/");
  if (first === "") return false;
  return rest.length === 0 || first === "docker.io" || first === "index.docker.io" || !/[.:]/.test(first);
}
