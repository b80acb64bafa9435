/**
 * Builds as another user: run with the driver's options and the request as JSON arguments. Only then are files unreadable, which root
 * never meets. A first build runs before, as the user who started this, so that what Node loads late is there, wherever that lies.
 */
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuilder, BuilderError, type BuildOptions } from "slipway";
import { buildkitDriver, type BuildkitDriverOptions } from "slipway/buildkit";

const nobody = 65534;
const [driverOptions = "", request = ""] = process.argv.slice(2);
const builder = createBuilder({ driver: buildkitDriver(JSON.parse(driverOptions) as BuildkitDriverOptions) });
const empty = await mkdtemp(join(tmpdir(), "slipway-empty-"));
await builder
  .build({ context: empty, dockerfileInline: "FROM scratch\nLABEL first=build\n", outputs: [{ type: "cache-only" }] })
  .result();
await rmdir(empty);
process.setegid?.(nobody);
process.seteuid?.(nobody);
try {
  await builder.build(JSON.parse(request) as BuildOptions).result();
  console.log(JSON.stringify({ succeeded: true }));
} catch (error) {
  console.log(JSON.stringify(BuilderError.from(error)));
} finally {
  await builder.close();
}
