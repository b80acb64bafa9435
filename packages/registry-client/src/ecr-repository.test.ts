import { expect, test } from "vitest";

import { createEcrRepository } from "./ecr-repository.ts";

const registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/** An SDK whose service answers with `send`, and what it was asked. */
function fakeSdk(send: () => Promise<unknown>) {
  const log: unknown[] = [];
  class CreateRepositoryCommand {
    readonly input: object;
    constructor(input: object) {
      this.input = input;
    }
  }
  class ECRClient {
    constructor(options: object) {
      log.push(options);
    }
    send(command: CreateRepositoryCommand, { abortSignal }: { readonly abortSignal: AbortSignal }): Promise<unknown> {
      log.push(command.input, abortSignal);
      return send();
    }
    destroy(): void {
      log.push("destroyed");
    }
  }
  const load = (name: string): Promise<unknown> => {
    log.push(name);
    return Promise.resolve({ ECRClient, CreateRepositoryCommand });
  };
  return { log, load };
}

const { signal } = new AbortController();
const create = (load: (name: string) => Promise<unknown>): Promise<void> =>
  createEcrRepository({ registry, repository: "team/app" }, { signal }, load);

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

test.each([
  ["makes a repository in the account and region of the registry", () => Promise.resolve({})],
  [
    "takes one that somebody else has made meanwhile",
    () => Promise.reject(named("RepositoryAlreadyExistsException", "team/app exists")),
  ],
])("%s", async (_name, send) => {
  const { log, load } = fakeSdk(send);
  await create(load);
  expect(log).toEqual([
    "@aws-sdk/client-ecr",
    { region: "eu-west-1" },
    { repositoryName: "team/app", registryId: "123456789012" },
    signal,
    "destroyed",
  ]);
});

test("says why Amazon makes none, and lets go of the connection", async () => {
  const { log, load } = fakeSdk(() => Promise.reject(named("AccessDeniedException", "ecr:CreateRepository")));
  await expect(create(load)).rejects.toMatchObject({
    code: "REPOSITORY_NOT_FOUND",
    message: `Cannot create the repository ${registry}/team/app: AccessDeniedException: ecr:CreateRepository.`,
    details: { registry, repository: "team/app" },
  });
  expect(log.at(-1)).toBe("destroyed");
});

test.each([
  ["Cannot find package '@aws-sdk/client-ecr' imported from x", /which is not installed: npm install @aws-sdk/],
  ['Could not resolve "@aws-sdk/client-ecr" imported by "app".', /which is not installed: npm install @aws-sdk/],
  [
    "Cannot find package '@smithy/core' imported from /app/node_modules/@aws-sdk/client-ecr/index.js",
    /which cannot be loaded: Cannot find package '@smithy/,
  ],
])("an SDK that cannot be loaded: %s", async (message, says) => {
  await expect(create(() => Promise.reject(new Error(message)))).rejects.toThrow(says);
});
