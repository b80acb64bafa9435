import { execFile } from "node:child_process";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { createBuilder, BuilderError, type BuildOptions } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { builderObjects, type BuilderObjects } from "./bad-input/builder-objects.ts";
import { expectFailure, type ExpectedFailure } from "./bad-input/expected-failure.ts";
import { createContextFolder } from "./support/context-folder.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

let namespace: TestNamespace;
let before: BuilderObjects;
beforeAll(async () => {
  namespace = await createTestNamespace();
  await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
  await builder.bootstrap();
  before = await builderObjects(namespace);
});
afterAll(() => namespace[Symbol.asyncDispose]());

/** A build that the daemon refuses; its Dockerfile begins with `FROM` in line 1. */
interface DockerfileCase extends ExpectedFailure {
  readonly title: string;
  readonly lines: readonly string[];
  readonly from?: string;
  readonly options?: Partial<BuildOptions>;
}

const cases: readonly DockerfileCase[] = [
  {
    title: "failing step",
    lines: ["COPY Dockerfile /", "RUN echo to stdout && \\", "    echo last words >&2 && exit 3"],
    code: "BUILD_FAILED",
    message: [/RUN echo to stdout/, /Dockerfile:3/, /exit code 3/, /details\.logTail/],
    details: {
      step: expect.stringContaining("RUN echo to stdout") as string,
      exitCode: 3,
      location: { file: "Dockerfile", line: 3 },
      // Nothing orders what comes from the two streams.
      logTail: expect.stringMatching(/^(to stdout\nlast words|last words\nto stdout)\n$/) as string,
    },
  },
  {
    title: "command that does not exist",
    lines: ["RUN no-such-command"],
    code: "BUILD_FAILED",
    message: [/Dockerfile:2/, /exit code 127/],
    details: { exitCode: 127, logTail: expect.stringContaining("no-such-command: not found") as string },
  },
  {
    title: "syntax error",
    lines: ["", "RUNN echo hello"],
    code: "BUILD_FAILED",
    message: [/Dockerfile:3/, /unknown instruction: RUNN/, /did you mean RUN/i],
    details: { location: { file: "Dockerfile", line: 3 } },
  },
  {
    title: "COPY of what is not there",
    lines: ["COPY no-such-file /"],
    code: "BUILD_FAILED",
    message: [/Dockerfile:2/, /no-such-file.*not found/],
    details: { location: { file: "Dockerfile", line: 2 } },
  },
  {
    title: "stage that does not exist",
    lines: [],
    options: { target: "production" },
    code: "BUILD_FAILED",
    message: [/target stage "production" could not be found/],
  },
  {
    title: "secret that was not given",
    lines: ["RUN --mount=type=secret,id=npm,required=true cat /run/secrets/npm"],
    code: "BUILD_FAILED",
    message: [/npm.*not found/, /Dockerfile:2/],
    details: { location: { file: "Dockerfile", line: 2 } },
  },
];

describe("on a builder that is there", () => {
  describe.concurrent("the build fails", () => {
    it.for(cases)("BAD-INPUT: $title", async ({ title, lines, options, ...expected }) => {
      const dockerfile = [`FROM ${namespace.testCluster.bases.busybox}`, ...lines, ""].join("\n");
      await using context = await createContextFolder({ Dockerfile: dockerfile });
      await expectFailure(title, () => build({ context: context.path, ...options }), expected);
    });

    it("BAD-INPUT: unreadable file, as another user than root", async () => {
      const dockerfile = `FROM ${namespace.testCluster.bases.busybox}\nCOPY private /\n`;
      await using context = await createContextFolder({ Dockerfile: dockerfile, private: "x" });
      await chmod(context.path, 0o755);
      await chmod(join(context.path, "private"), 0o600);
      await expectFailure("unreadable file", () => buildAsNobody(context.path), {
        code: "CONTEXT_INVALID",
        message: [/private/, /EACCES/, /Make it readable, or name it in \.dockerignore/],
        details: { path: expect.stringMatching(/private$/) as string },
      });
    });

    it("BAD-INPUT: unreadable Dockerfile, as another user than root", async () => {
      await using context = await createContextFolder({ Dockerfile: "FROM scratch\n" });
      await chmod(context.path, 0o755);
      await chmod(join(context.path, "Dockerfile"), 0o600);
      await expectFailure("unreadable Dockerfile", () => buildAsNobody(context.path), {
        code: "CONTEXT_INVALID",
        message: [/The Dockerfile .*Dockerfile cannot be read/, /EACCES/, /Check its permissions/],
        details: { path: expect.stringMatching(/Dockerfile$/) as string },
      });
    });

    it("BAD-INPUT: unreadable folder, as another user than root", async () => {
      const dockerfile = `FROM ${namespace.testCluster.bases.busybox}\nCOPY . /\n`;
      await using context = await createContextFolder({ Dockerfile: dockerfile, "private/file": "x" });
      await chmod(context.path, 0o755);
      await chmod(join(context.path, "private"), 0o700);
      await expectFailure("unreadable folder", () => buildAsNobody(context.path), {
        code: "CONTEXT_INVALID",
        message: [/private/, /EACCES/, /Make it readable, or name it in \.dockerignore/],
        details: { path: expect.stringMatching(/private$/) as string },
      });
    });
  });

  it("BAD-INPUT: it is unchanged after all of them, and builds", async () => {
    expect(await builderObjects(namespace)).toEqual(before);
    await using context = await createContextFolder({
      Dockerfile: `FROM ${namespace.testCluster.bases.busybox}\nRUN true\n`,
    });
    expect(await build({ context: context.path })).toMatchObject({ image: { tags: [`${namespace.repository}:1`] } });
    expect(await builderObjects(namespace)).toEqual(before);
  });
});

async function build(options: BuildOptions): Promise<unknown> {
  await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
  return await builder.build({ tags: [`${namespace.repository}:1`], ...options }).result();
}

async function buildAsNobody(context: string): Promise<void> {
  const script = join(import.meta.dirname, "bad-input/unreadable-build.ts");
  const request = { context, tags: [`${namespace.repository}:1`] };
  const values = [namespace.driverOptions, request].map((value) => JSON.stringify(value));
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@slipway/source", script, ...values]);
  const outcome = JSON.parse(stdout) as { succeeded?: boolean };
  if (outcome.succeeded !== true) throw BuilderError.from(outcome);
}
