import type { PurposefulRequest, Session } from "./access-session.ts";
import { sendWith } from "./access-session.ts";
import type { Challenge } from "./challenge.ts";
import { parseChallenges } from "./challenge.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import { discardBody } from "./response-body.ts";

/** A refusal without a challenge tells nothing; the root of the API has one. */
export async function challengesFor(
  session: Session,
  request: PurposefulRequest,
  refusal: RegistryResponse | undefined,
): Promise<readonly Challenge[]> {
  const challenges = parseChallenges(refusal?.headers.get("www-authenticate") ?? "");
  if (challenges.length > 0) {
    // Scopes are of this request; the next one has its own.
    session.challenges = challenges.map(withoutScope);
    return challenges;
  }
  return session.challenges ?? (await learnChallenges(session, request));
}

/** Asks the root of the API, and keeps what it says. */
export async function learnChallenges(session: Session, request: PurposefulRequest): Promise<readonly Challenge[]> {
  const { url } = session.access;
  const { response } = await sendWith(
    session,
    { ...request, method: "GET", url, headers: {}, body: undefined },
    undefined,
  );
  await discardBody(response);
  const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "").map(withoutScope);
  session.challenges = challenges;
  return challenges;
}

function withoutScope({ scheme, parameters }: Challenge): Challenge {
  return { scheme, parameters: Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== "scope")) };
}
