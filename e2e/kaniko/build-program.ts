import { createBuilder } from "slipway";
import { kanikoDriver, type KanikoDriverOptions } from "slipway/kaniko";

/** What a build in a process of its own is given, as JSON. */
export interface ProgramOptions {
  readonly driver: KanikoDriverOptions;
  readonly context: string;
  readonly tag: string;
}

/** Builds, and prints each event as a line of JSON, until somebody kills it. */
const { driver, context, tag } = JSON.parse(process.argv[2] ?? "") as ProgramOptions;
await using builder = createBuilder({ driver: kanikoDriver(driver) });
for await (const event of builder.build({ context, tags: [tag] })) console.log(JSON.stringify(event));
