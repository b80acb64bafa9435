import { createHash, randomBytes } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import type { ReceivedFiles, ReceivedFilesStore } from "@slipway/buildkit-client";
import { cacheFolder, removeForgottenFiles, replaceCacheFile } from "@slipway/context-sync";
import * as z from "zod/mini";

const texts = z.readonly(z.array(z.string()));
const schema = z.strictObject({
  session: z.string(),
  walks: z.readonly(
    z.array(
      z.strictObject({
        name: z.string(),
        filter: z.strictObject({ include: texts, exclude: texts, followPaths: texts }),
        digest: z.string(),
        files: z.number(),
        totalBytes: z.number(),
      }),
    ),
  ),
}) satisfies z.ZodMiniType<ReceivedFiles>;

/**
 * Keeps what a pod's daemon has of a context in a file of this user, so that the next process finds it. Whoever takes it renames it first, which only one
 * can. A process that dies has taken it along, and the build after it shows its files once more; a folder that cannot be written to costs no more than that.
 */
export function receivedFilesStore(
  podUid: string,
  sharedKey: string,
  folder = join(cacheFolder(), "received"),
): ReceivedFilesStore {
  const name = createHash("sha256").update(podUid).update("\0").update(sharedKey).digest("hex").slice(0, 32);
  const path = join(folder, `${name}.json`);
  let isNew = false;
  return {
    take: async () => {
      try {
        return await take(path);
      } catch {
        isNew = true;
        return undefined;
      }
    },
    keep: async (received) => {
      await replaceCacheFile(path, JSON.stringify(received)).catch(() => undefined);
      // Not in the builds that have to be fast.
      if (isNew) await removeForgottenFiles(folder, ".json").catch(() => undefined);
    },
  };
}

async function take(path: string): Promise<ReceivedFiles> {
  const taken = `${path}.${randomBytes(6).toString("hex")}`;
  await rename(path, taken);
  const text = await readFile(taken, "utf8");
  await rm(taken);
  return schema.parse(JSON.parse(text));
}
