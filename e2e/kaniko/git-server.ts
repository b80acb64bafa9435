import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";

import type { Pod } from "@slipway/cluster";

import type { TestNamespace } from "../support/test-namespace.ts";

/** A git repository that pods of a namespace can clone. */
export interface GitServer {
  readonly url: string;
  /** Of the commit on the branch `main`. */
  readonly commit: string;
}

const name = "git-server";
const port = 8080;

/**
 * Serves a repository with one commit, on the branch `main` and under the tag `v1`. What a git server says to a client that has nothing yet is always the
 * same, so it is made once and a web server hands it out.
 */
export async function startGitServer(
  { cluster, name: namespace, testCluster }: TestNamespace,
  files: Readonly<Record<string, string>>,
): Promise<GitServer> {
  const { pack, commit } = packOf(files);
  const binaryData = {
    git: Buffer.from(script).toString("base64"),
    refs: advertisement(commit).toString("base64"),
    pack: pack.toString("base64"),
  };
  await cluster.create({ ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, binaryData } });
  await cluster.create(serverPod(testCluster.images.busybox));
  const pod = await cluster.waitForPod({ namespace, name });
  return { url: `http://${pod.status?.podIP ?? ""}:${port}/cgi-bin/git/repo.git`, commit };
}

const script = `#!/bin/sh
case "$PATH_INFO" in
*/info/refs) type=advertisement file=refs head= ;;
*) type=result file=pack head='0008NAK\\n'; cat >/dev/null ;;
esac
printf 'Content-Type: application/x-git-upload-pack-%s\\r\\n\\r\\n' "$type"
printf "$head"
cat /data/$file
`;

function serverPod(image: string): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name,
          image,
          command: ["httpd", "-f", "-p", String(port), "-h", "/www"],
          readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
          volumeMounts: [
            { name, mountPath: "/data" },
            { name, mountPath: "/www/cgi-bin" },
          ],
        },
      ],
      volumes: [{ name, configMap: { name, defaultMode: 0o755 } }],
    },
  };
}

function packet(line: string): string {
  return `${(Buffer.byteLength(line) + 4).toString(16).padStart(4, "0")}${line}`;
}

function advertisement(commit: string): Buffer {
  const lines = [
    `${commit} HEAD\0symref=HEAD:refs/heads/main\n`,
    `${commit} refs/heads/main\n`,
    `${commit} refs/tags/v1\n`,
  ];
  return Buffer.from(`${packet("# service=git-upload-pack\n")}0000${lines.map(packet).join("")}0000`);
}

const types = { commit: 1, tree: 2, blob: 3 } as const;

interface GitObject {
  readonly type: keyof typeof types;
  readonly content: Buffer;
  readonly id: Buffer;
}

function gitObject(type: GitObject["type"], content: Buffer): GitObject {
  const id = createHash("sha1").update(`${type} ${content.length}\0`).update(content).digest();
  return { type, content, id };
}

/** A pack as git's documentation of its format describes it, without deltas. */
function packOf(files: Readonly<Record<string, string>>): { pack: Buffer; commit: string } {
  const objects: GitObject[] = [];
  const treeOf = (entries: Readonly<Record<string, string>>): GitObject => {
    const folders = [...new Set(Object.keys(entries).map((path) => path.split("/")[0] ?? ""))].sort();
    const lines = folders.map((entry) => {
      const content = entries[entry];
      const below = Object.entries(entries).flatMap(([path, text]) =>
        path.startsWith(`${entry}/`) ? [[path.slice(entry.length + 1), text] as const] : [],
      );
      const object =
        content === undefined ? treeOf(Object.fromEntries(below)) : gitObject("blob", Buffer.from(content));
      if (content !== undefined) objects.push(object);
      return Buffer.concat([Buffer.from(`${content === undefined ? "40000" : "100644"} ${entry}\0`), object.id]);
    });
    const tree = gitObject("tree", Buffer.concat(lines));
    objects.push(tree);
    return tree;
  };
  const person = "Somebody <somebody@example.com> 1700000000 +0000";
  const text = `tree ${treeOf(files).id.toString("hex")}\nauthor ${person}\ncommitter ${person}\n\nFirst\n`;
  const commit = gitObject("commit", Buffer.from(text));
  const all = [...objects, commit];
  const head = Buffer.alloc(12);
  head.write("PACK");
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(all.length, 8);
  const body = Buffer.concat([head, ...all.map(packed)]);
  return {
    pack: Buffer.concat([body, createHash("sha1").update(body).digest()]),
    commit: commit.id.toString("hex"),
  };
}

/** Type and length in groups of bits, the last without its highest one, then the content. */
function packed({ type, content }: GitObject): Buffer {
  const bytes = [(types[type] << 4) | (content.length & 0x0f)];
  for (let rest = content.length >> 4; rest > 0; rest >>= 7) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.concat([Buffer.from(bytes), deflateSync(content)]);
}
