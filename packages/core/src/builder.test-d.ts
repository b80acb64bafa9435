import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expectTypeOf, test } from "vitest";

import { createBuilder } from "./builder.ts";
import type { BaseBuilder, BuildOptionsOf, Builder, BuilderOperations, OperationsOf } from "./builder.ts";
import type { BuildOptions } from "./build-options.ts";
import type { BuilderDriver } from "./builder-driver.ts";
import type { PruneResult } from "./builder-maintenance.ts";
import { BuilderError } from "./builder-error.ts";

interface FastSchemas {
  readonly fast: StandardSchemaV1<{ speed?: number }, { speed: number }>;
  readonly [key: string]: StandardSchemaV1;
}

declare const plain: BuilderDriver & { readonly name: "plain" };
declare const pruning: BuilderDriver & Required<Pick<BuilderDriver, "prune">>;
declare const fast: Omit<BuilderDriver, "buildOptions" | "build"> & {
  readonly buildOptions: { readonly fast: FastSchemas["fast"] };
  build: BuilderDriver["build"];
};

test("a builder has exactly the operations of its driver", () => {
  expectTypeOf<OperationsOf<typeof pruning>>().toEqualTypeOf<"prune">();
  expectTypeOf(createBuilder({ driver: pruning }).prune).returns.resolves.toEqualTypeOf<PruneResult>();
  expectTypeOf(createBuilder({ driver: plain })).not.toHaveProperty("prune");
  expectTypeOf(createBuilder({ driver: pruning })).not.toHaveProperty("stop");
});

test("supports narrows a plain builder", () => {
  const builder: Builder = createBuilder({ driver: pruning });
  expectTypeOf(builder).not.toHaveProperty("prune");
  if (builder.supports("prune")) expectTypeOf(builder.prune).toEqualTypeOf<BuilderOperations["prune"]>();
});

test("the keys that a driver adds are options of its builds, by their schema's input", () => {
  type Options = BuildOptionsOf<typeof fast>;
  expectTypeOf<Options>().toExtend<BuildOptions>();
  expectTypeOf<Options["fast"]>().toEqualTypeOf<{ speed?: number } | undefined>();
  const builder = createBuilder({ driver: fast });
  builder.build({ context: ".", fast: { speed: 2 } });
  // @ts-expect-error the schema wants a number
  builder.build({ context: ".", fast: { speed: "2" } });
  // @ts-expect-error there is no such option
  builder.build({ contxt: "." });
  // @ts-expect-error another driver's key
  createBuilder({ driver: plain }).build({ context: ".", fast: {} });
});

test("any builder is a base builder, and an error narrows by its code", () => {
  expectTypeOf<Builder<typeof pruning>>().toExtend<BaseBuilder<typeof pruning>>();
  const error = BuilderError.from(undefined);
  if (error.code === "TIMEOUT") expectTypeOf(error.details.timeoutMs).toEqualTypeOf<number>();
});
