import { expect, test } from "vitest";

import { wrapDriver } from "./driver-middleware.ts";
import type { DriverMiddleware } from "./driver-middleware.ts";
import { someDigest, stubDriver } from "./self-test/stub-driver.ts";

test("the first middleware is the outermost, and each goes on to the next", async () => {
  const order: string[] = [];
  const note =
    (name: string): DriverMiddleware =>
    (next) => ({
      build: async (request, call) => {
        order.push(name);
        return next.build(request, call);
      },
    });
  const driver = wrapDriver(stubDriver(), note("outer"), note("inner"));
  expect(await driver.build(undefined as never, undefined as never)).toEqual({ digest: someDigest });
  expect(order).toEqual(["outer", "inner"]);
});

test("what is not replaced runs on the driver itself, private fields included", async () => {
  class Counting {
    readonly specificationVersion = "v1";
    readonly name = "counting";
    readonly features = [];
    #builds = 0;
    async build() {
      this.#builds += 1;
      return { metadata: { builds: String(this.#builds) } };
    }
  }
  const driver = wrapDriver(new Counting(), () => ({ name: "renamed" }));
  expect(await driver.build()).toEqual({ metadata: { builds: "1" } });
  expect(driver.name).toBe("renamed");
  expect("prune" in driver).toBe(false);
});
