import type { BuildRequest, DriverCall } from "slipway";

/** The text of a docker `auth.json` with credentials for the registries of the tags: a file, since arguments and variables show to everybody. */
export async function authFile(
  request: Pick<BuildRequest, "tags">,
  call: Pick<DriverCall, "credentials" | "signal">,
): Promise<string> {
  const auths: Record<string, { auth: string }> = {};
  for (const tag of request.tags) {
    const registry = tag.slice(0, tag.indexOf("/"));
    const repository = tag.slice(registry.length + 1).replace(/:[^/]*$/, "");
    const [best] = await call.credentials.resolve(
      { registry, repository, actions: ["pull", "push"] },
      { signal: call.signal },
    );
    if (best?.type !== "basic") continue;
    auths[`${registry}/${repository}`] = { auth: Buffer.from(`${best.username}:${best.password}`).toString("base64") };
  }
  return JSON.stringify({ auths });
}
