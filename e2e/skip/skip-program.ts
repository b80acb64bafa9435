import { createBuilder, type BuildEvent, type BuildOptions } from "slipway";
import { buildkitDriver, type BuildkitDriverOptions } from "slipway/buildkit";
import { kanikoDriver, type KanikoDriverOptions } from "slipway/kaniko";

/** What a build in a process of its own is given, as JSON. */
export interface SkipProgramOptions {
  readonly driver: { readonly kaniko: KanikoDriverOptions } | { readonly buildkit: BuildkitDriverOptions };
  readonly build: BuildOptions;
}

/** What it prints. */
export interface SkipReport {
  readonly skipped: boolean;
  readonly digest: string;
  readonly platforms: readonly string[];
  /** From `build` to the result. */
  readonly durationMs: number;
  readonly events: readonly BuildEvent["type"][];
  readonly warnings: readonly string[];
}

const { driver, build } = JSON.parse(process.argv[2] ?? "") as SkipProgramOptions;
const events: BuildEvent[] = [];
const options = { onEvent: (event: BuildEvent) => void events.push(event) };
const isKaniko = "kaniko" in driver;
await using builder = isKaniko
  ? createBuilder({ ...options, driver: kanikoDriver(driver.kaniko) })
  : createBuilder({ ...options, driver: buildkitDriver(driver.buildkit) });
const startedAt = performance.now();
const { skipped, image } = await builder.build(build).result();
const report: SkipReport = {
  skipped: skipped === true,
  digest: image?.digest ?? "",
  platforms: image?.platforms.map(({ platform }) => platform) ?? [],
  durationMs: performance.now() - startedAt,
  events: events.map(({ type }) => type),
  warnings: events.flatMap((event) => (event.type === "warning" ? [event.message] : [])),
};
console.log(JSON.stringify(report));
