/** Lets a build fail that nobody waits for: the order comes as JSON on standard input. */
import { json } from "node:stream/consumers";

import { createBuilder } from "slipway";
import { buildkitDriver, type BuildkitDriverOptions } from "slipway/buildkit";
import { staticCredentials } from "slipway/secrets";

/** What the parent asks for. */
export interface RejectingOrder {
  readonly driver: BuildkitDriverOptions;
  readonly context: string;
  readonly tag: string;
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

const { driver, context, tag, ...login } = (await json(process.stdin)) as RejectingOrder;
const builder = createBuilder({ driver: buildkitDriver(driver), credentials: [staticCredentials(login)] });
void builder
  .build({ context, tags: [tag] })
  .result()
  .then(() => builder.close());
