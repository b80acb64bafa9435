import { BuilderError } from "@slipway/core";

/** What the registry has said, where that is why a build failed. */
export function registryError(said: string): BuilderError | undefined {
  return pushError(said) ?? pullError(said);
}

const pushFailure = /error (?:checking push permissions|pushing image)/;

function pushError(said: string): BuilderError | undefined {
  if (!pushFailure.test(said)) return undefined;
  const [, registry = ""] =
    /(?:permission for "|(?:POST|PUT|HEAD|GET|Get "?|Post "?)\s*"?https?:\/\/)([^/"\s]+)/i.exec(said) ?? [];
  const isRefused = /UNAUTHORIZED|401|DENIED|403/i.test(said);
  return isRefused ? notLetIn("push", registry, said) : unavailable("pushed to", registry, said);
}

/** A request for an image, or for a token that it needs. `ADD` fetches from elsewhere, too. */
const pullRequest =
  /^error building image: .*\bGET ("?)https?:\/\/([^/\s"]+)\/(?:v2\/|[^\s"]*[?&]scope=)[^\s"]*"?: (.*)$/is;
const refusal = /^(?:UNAUTHORIZED|DENIED)\b|^unexpected status code 40[13]\b/;
const absence = /^(?:TOOMANYREQUESTS|UNAVAILABLE)\b|^unexpected status code (?:429|5\d\d)\b/;

/** An image that is not there is a matter of the Dockerfile. */
function pullError(said: string): BuilderError | undefined {
  const [, quote, registry = "", answer = ""] = pullRequest.exec(said) ?? [];
  if (quote === undefined) return undefined;
  if (refusal.test(answer)) return notLetIn("pull", registry, said);
  // What has got no answer is in quotes.
  return quote !== "" || absence.test(answer) ? unavailable("pulled from", registry, said) : undefined;
}

function notLetIn(action: "push" | "pull", registry: string, said: string): BuilderError {
  return new BuilderError({
    code: "REGISTRY_UNAUTHORIZED",
    message: `The registry ${registry} does not let this build ${action}: ${said} Give credentials that may ${action}.`,
    details: { registry, diagnostics: [said], triedCredentials: [] },
  });
}

function unavailable(action: "pushed to" | "pulled from", registry: string, said: string): BuilderError {
  return new BuilderError({
    code: "REGISTRY_UNAVAILABLE",
    message: `The image could not be ${action} ${registry}: ${said} Check that pods of the namespace reach the registry, and registries.`,
    details: { registry, diagnostics: [said], triedCredentials: [] },
  });
}
