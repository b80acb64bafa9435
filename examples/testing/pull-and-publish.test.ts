import { createFakeDriver } from "@slipway/testing";
import { BuilderError, createBuilder } from "slipway";
import { pullSecret } from "slipway/secrets";
import { expect, it } from "vitest";

const build = {
  context: ".",
  dockerfileInline: "FROM scratch\nRUN echo hello",
  tags: ["registry.example.com/team/api:v1"],
};

// #region secrets
it("builds with the pull secret of the cluster, and lets the pods of an account pull", async () => {
  const driver = createFakeDriver();
  const { cluster } = driver;
  const auths = { "registry.example.com": { username: "ci", password: "a password" } };
  cluster.secrets.set("apps/regcred", { data: { "config.json": JSON.stringify({ auths }) } });
  const credentials = [pullSecret({ name: "regcred", namespace: "apps" })];
  await using builder = createBuilder({ driver, credentials });

  await builder.build(build).image();
  await builder.ensurePullable({ namespace: "preview-42" });

  expect(cluster.pullables).toEqual([{ namespace: "preview-42", serviceAccount: "default" }]);
});
// #endregion secrets

// #region publish
it("moves no tag when the scan finds something", async () => {
  const driver = createFakeDriver();
  await using builder = createBuilder({ driver });
  const { reference, digest } = await builder.build(build).image();

  const published = builder.publish({
    source: reference,
    destinations: ["mirror.example.com/team/api:stable"],
    beforeTag: () => Promise.reject(new Error("CVE-2026-0001 is critical")),
  });

  await expect(published).rejects.toMatchObject({ code: "PUBLISH_REFUSED" });
  expect(driver.cluster.images.has("mirror.example.com/team/api:stable")).toBe(false);
  expect(driver.cluster.images.get(`mirror.example.com/team/api@${digest}`)).toBe(digest);
});
// #endregion publish

// #region failure
it("tells the scan which registries do not have the image", async () => {
  const down = { registry: "mirror.example.com", status: 503, diagnostics: [], triedCredentials: [] };
  const beforePush = (destination: string) => {
    if (destination.startsWith("mirror.example.com/"))
      throw new BuilderError({ code: "REGISTRY_REFUSED", message: "The mirror is down.", details: down });
  };
  await using builder = createBuilder({ driver: createFakeDriver({ beforePush }) });
  const { reference } = await builder.build(build).image();
  const missing: string[] = [];

  const published = builder.publish({
    source: reference,
    destinations: ["mirror.example.com/team/api:stable", "other.example.com/team/api:stable"],
    beforeTag: ({ failed }) => void missing.push(...failed.map(({ message }) => message)),
  });

  await expect(published).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
  expect(missing).toEqual(["The mirror is down."]);
});
// #endregion failure
