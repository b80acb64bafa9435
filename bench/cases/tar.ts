import { resolve } from "node:path";

import type { BenchCase } from "../bench-case.ts";
import { createContextFolder } from "../context-folder.ts";

const files = 20_000;
const fileBytes = 10_000;
const archives = 5;

/** A context as a tar stream into a pipe: GNU tar reads no file whose archive goes to /dev/null. */
export const tar: BenchCase = {
  name: "tar",
  description: `pack ${files} files of ${fileBytes} bytes into a pipe, ${archives} times in a row`,
  peer: "GNU tar",
  goal: 1.1,
  rounds: 9,
  prepare: async () => {
    const context = await createContextFolder("scratch", files, fileBytes);
    const numbers = Array.from({ length: archives }, (_, index) => index).join(" ");
    const program = resolve(import.meta.dirname, "../programs/slipway-pack.mjs");
    return {
      ours: {
        argv: ["sh", "-c", '"$0" "$@" | cat >/dev/null', process.execPath, program],
        env: { SLIPWAY_BENCH: JSON.stringify({ folder: context.path, archives }) },
      },
      peer: {
        argv: [
          "sh",
          "-c",
          `for i in ${numbers}; do tar -C "$0" --sort=name -cf - .; done | cat >/dev/null`,
          context.path,
        ],
      },
      [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
    };
  },
};
