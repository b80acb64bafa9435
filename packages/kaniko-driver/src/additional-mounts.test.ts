import { describe, expect, it } from "vitest";

import { shadowedTargets } from "./additional-mounts.ts";
import { kanikoDriver } from "./kaniko-driver.ts";

const at = (mountPath: string) => [{ mountPath, readOnly: true, secret: { name: "token" } }];

describe("a mount at or above what the Dockerfile writes to", () => {
  it.each([
    ["WORKDIR /app", "/app", "/app"],
    ["WORKDIR /srv\nWORKDIR app/", "/srv/app", "/srv/app"],
    ["WORKDIR /app\nCOPY a b lib/", "/app/lib", "/app/lib"],
    ['ADD ["a b", "/data/x"]', "/data", "/data/x"],
    ["COPY --from=build /out \\\n  /usr/local/bin", "/usr/", "/usr/local/bin"],
    ["copy . .", "/", "/"],
  ])("%j hides with a mount at %s", (dockerfile, mountPath, target) => {
    const [warning, ...others] = shadowedTargets(`FROM x\n${dockerfile}\n`, at(mountPath));
    expect(warning).toContain(`hides ${target}, `);
    expect(others).toEqual([]);
  });

  it.each([
    ["WORKDIR /app", "/app/secret"],
    ["COPY a /application", "/app"],
    ["WORKDIR /app\nFROM y\nCOPY a b", "/app/b"],
    ["COPY a $TARGET", "/"],
    ["RUN cp a /app", "/app"],
  ])("%j is left alone with a mount at %s", (dockerfile, mountPath) => {
    expect(shadowedTargets(`FROM x\n${dockerfile}\n`, at(mountPath))).toEqual([]);
  });
});

describe("a mount", () => {
  it.each<[object, RegExp]>([
    [{ mountPath: "/a", secret: { name: "b" }, configMap: { name: "c" } }, /exactly one of secret and configMap/],
    [{ mountPath: "/a" }, /exactly one of secret and configMap/],
    [{ mountPath: "/a", emptyDir: {} }, /emptyDir/],
    [{ mountPath: "a", secret: { name: "b" } }, /mountPath.*absolute path/],
    [{ mountPath: "/a", secret: { name: "b", items: [{ key: "c" }] } }, /items\[0\]\.path/],
    [{ mountPath: "/a", secret: { name: "b", defaultMode: 0o1777 } }, /defaultMode/],
  ])("%j is refused by name", (mount, message) => {
    expect(() => kanikoDriver({ additionalMounts: [mount as never] })).toThrow(message);
  });
});
