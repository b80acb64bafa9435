import { expect, test } from "vitest";

import { buildOf } from "../__fixtures__/requests.ts";
import { scriptedDaemon } from "../__fixtures__/scripted-daemon.ts";
import { connectBuildkit } from "../buildkit-client.ts";
import * as messages from "../messages.ts";

test("credentials are kept for the questions of one push, and asked for again when they could not be found out", async () => {
  const asked: string[] = [];
  const outcomes: string[] = [];
  const request = messages.encode(messages.CredentialsRequest, { host: "r.test" });
  const daemon = scriptedDaemon(async (session) => {
    for (let question = 0; question < 3; question++)
      outcomes.push(
        await session.unary("/moby.filesync.v1.Auth/Credentials", request).then(
          (response) => messages.decode(messages.CredentialsResponse, response).username,
          () => "failed",
        ),
      );
    return {};
  });
  await using client = await connectBuildkit(daemon.stream);
  const build = buildOf("/nowhere");
  const credentials = (host: string) => {
    asked.push(host);
    return asked.length === 1
      ? Promise.reject(new Error("no answer"))
      : Promise.resolve({ username: "u", secret: "s" });
  };
  await client.solve({ ...build, session: { ...build.session, credentials } });
  expect(outcomes).toEqual(["failed", "u", "u"]);
  expect(asked).toEqual(["r.test", "r.test"]);
});
