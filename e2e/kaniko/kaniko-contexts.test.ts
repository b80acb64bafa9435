import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { packContext } from "slipway/context";
import { afterAll, describe, expect, test } from "vitest";

import { createContextFolder } from "../support/context-folder.ts";
import { startGitServer } from "./git-server.ts";
import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { KanikoTrials } from "./kaniko-trial.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const trials = new KanikoTrials(kaniko);
const { namespace } = kaniko;
const { repository } = namespace;
const dockerfile = `${trials.from}WORKDIR /app\nCOPY . .\nRUN find . -type f | sort\n`;
const kanikoOptions = { cache: { enabled: false } };

async function fromArchive(archive: string, file: string): Promise<Buffer> {
  const { stdout } = await promisify(execFile)("tar", ["-xOf", archive, file], { encoding: "buffer" });
  return stdout;
}

describe.concurrent("other contexts and outputs", () => {
  test("OPT-build.context:tar: builds from a tar, and OPT-build.outputs: pushes and hands out archives of one image", async () => {
    await using folder = await createContextFolder({ "sub/Dockerfile": dockerfile, "a.txt": "a", "b.log": "b" });
    await using out = await createContextFolder({});
    const [docker, oci] = [join(out.path, "docker.tar"), join(out.path, "oci.tar")];
    const { output, result } = await trials.succeed("FROM nowhere\n", {
      kaniko: kanikoOptions,
      build: {
        context: { type: "tar", read: () => packContext(folder.path, { compression: "gzip" }) },
        dockerfile: "sub/Dockerfile",
        tags: [`${repository}/archives:1`],
        outputs: [{ type: "push" }, { type: "docker", destination: docker }, { type: "oci", destination: oci }],
      },
    });
    expect(output).toBe("./a.txt\n./b.log\n./sub/Dockerfile\n");
    // Three files and the folder of one of them.
    expect(result.context).toMatchObject({ files: 4 });
    const digest = await kaniko.resolveDigest(`${repository}/archives:1`);
    expect(result.image?.digest).toBe(digest);
    const [image] = JSON.parse(String(await fromArchive(docker, "manifest.json"))) as [{ RepoTags: string[] }];
    expect(image.RepoTags).toEqual([`${repository}/archives:1`]);
    const index = JSON.parse(String(await fromArchive(oci, "./index.json"))) as { manifests: { digest: string }[] };
    expect(index.manifests.map((manifest) => manifest.digest)).toEqual([digest]);
    const blob = await fromArchive(oci, `./blobs/sha256/${digest?.replace("sha256:", "")}`);
    expect(JSON.parse(String(blob))).toMatchObject({ layers: expect.any(Array) as unknown[] });
    expect((await readFile(docker)).subarray(-1024)).toEqual(Buffer.alloc(1024));
  });

  test("OPT-build.context:git: builds a folder of a tag, and of a commit with a Dockerfile from here", async () => {
    const files = { "app/Dockerfile": dockerfile, "app/main.c": "int main;", "README.md": "read me" };
    const { url, commit } = await startGitServer(namespace, files);
    const tag = { type: "git", url, ref: "v1", subdirectory: "app" } as const;
    const outputs = [{ type: "cache-only" }] as const;
    const [first, second] = await Promise.all([
      trials.succeed("FROM nowhere\n", { build: { context: tag, outputs, tags: [] }, kaniko: kanikoOptions }),
      trials.succeed("FROM nowhere\n", {
        build: { context: { type: "git", url, ref: commit }, dockerfileInline: dockerfile },
        kaniko: kanikoOptions,
      }),
    ]);
    expect(first.output).toContain("./Dockerfile\n./main.c\n");
    expect(first.result.image).toBeUndefined();
    expect(second.output.match(/^\.\/[^.].*$/gm)).toEqual(["./README.md", "./app/Dockerfile", "./app/main.c"]);
    expect(second.result.image?.digest).toMatch(/^sha256:/);
  });
});
