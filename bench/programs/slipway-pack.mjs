// Packs a context into stdout, again and again as a builder does, with the published form of the package.
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";

import { packContext } from "@slipway/context-sync";

const { folder, archives } = JSON.parse(process.env.SLIPWAY_BENCH);
for (let archive = 0; archive < archives; archive += 1) {
  const output = createWriteStream("", { fd: 1, autoClose: false, highWaterMark: 4 * 1024 * 1024 });
  await pipeline(packContext(folder, { checksum: false }), output);
}
