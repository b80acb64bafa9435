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
    ["ENV APP=/app\nWORKDIR $APP\nCOPY . .", "/app", "/app"],
    ["ENV APP /app\nCOPY . ${APP}/lib", "/app", "/app/lib"],
    [`ENV ROOT="/srv" APP='app'\nCOPY . "$ROOT/$APP"`, "/srv/app", "/srv/app"],
    ["ENV A=/a\nENV A=/b B=$A/c\nCOPY . $B", "/", "/a/c"],
    ["ARG APP=/app\nCOPY . $APP", "/app", "/app"],
    ["ARG NONE\nCOPY . ${NONE:-/app}/x", "/app", "/app/x"],
    ["ENV APP=/app\nARG APP=/other\nCOPY . $APP", "/", "/app"],
    ["ARG GIVEN=/default\nCOPY . $GIVEN", "/", "/given"],
    ["ARG GIVEN\nCOPY . $GIVEN/$GIVEN", "/given", "/given/given"],
    ["ARG GLOBAL\nCOPY . $GLOBAL", "/", "/global"],
    ["ENV A=/a \\\n  # of the app\n  B=/b\nCOPY . $B", "/", "/b"],
    ["WORKDIR $UNKNOWN\nCOPY . .\nCOPY . /app/", "/", "/app"],
    ["WORKDIR $UNKNOWN\nCOPY . .\nWORKDIR /app", "/", "/app"],
    ["WORKDIR /app/my files", "/app/my files", "/app/my files"],
    ['COPY ["a b", "/app/my files"]', "/app/my files", "/app/my files"],
  ])("%j hides with a mount at %s", (dockerfile, mountPath, target) => {
    const [warning, ...others] = shadowedTargets(`ARG GLOBAL=/global\nFROM x\n${dockerfile}\n`, at(mountPath), {
      GIVEN: "/given",
    });
    expect(warning).toContain(`hides ${target}, `);
    expect(others).toEqual([]);
  });

  it.each([
    ["WORKDIR /app", "/app/secret"],
    ["COPY a /application", "/app"],
    ["WORKDIR /app\nFROM y\nCOPY a b", "/app/b"],
    ["COPY a $TARGET", "/"],
    ["WORKDIR ${A}\nCOPY . .", "/"],
    ["ENV A=/app$UNKNOWN\nCOPY . ${A:-/app}", "/"],
    ["COPY . $GLOBAL", "/"],
    ["COPY . $GIVEN", "/"],
    ["ARG A=/app\nFROM y\nCOPY . $A", "/"],
    ["ENV A=/app\nFROM y\nCOPY . $A", "/"],
    ["COPY . \\$GLOBAL", "/"],
    ["RUN cp a /app", "/app"],
  ])("%j is left alone with a mount at %s", (dockerfile, mountPath) => {
    const whole = `ARG GLOBAL=/global\nFROM x\n${dockerfile}\n`;
    expect(shadowedTargets(whole, at(mountPath), { GIVEN: "/given" })).toEqual([]);
  });

  it("is not counted as below a WORKDIR that a variable has replaced", () => {
    const warnings = shadowedTargets("FROM x\nWORKDIR /srv\nWORKDIR ${A}\nCOPY . b\n", at("/srv/b"));
    expect(warnings).toEqual([]);
  });

  it.each([
    ["FROM x AS Base\nENV APP=app\nWORKDIR /srv\nFROM base\nCOPY . $APP", "/srv/app"],
    [
      "ARG FROM=base\nFROM x AS base\nWORKDIR /srv\nFROM --platform=linux/amd64 ${FROM} AS last\nCOPY . app",
      "/srv/app",
    ],
    ["FROM x AS a\nWORKDIR /srv\nFROM a AS b\nFROM y AS c\nWORKDIR /other\nFROM b\nCOPY . app", "/srv/app"],
  ])("%j goes on where its stage has ended", (dockerfile, target) => {
    expect(shadowedTargets(dockerfile, at("/srv/app"))).toEqual([expect.stringContaining(`hides ${target}, `)]);
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
