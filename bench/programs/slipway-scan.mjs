// Lists a build context again and again in one process, as watching it and building from it does.
import { scanContext } from "@slipway/context-sync";

const { folder, exclude, scans } = JSON.parse(process.env.SLIPWAY_BENCH);
let entries = 0;
for (let scan = 0; scan < scans; scan += 1)
  for (const entry of scanContext(folder, { exclude })) if (entry.path) entries += 1;
console.log(entries);
