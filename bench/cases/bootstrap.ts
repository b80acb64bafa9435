import type { BenchCase } from "../bench-case.ts";
import { prepareBuilders, type Builders } from "../builders.ts";

async function removeBuilder(builders: Builders, deployment: string): Promise<void> {
  const options = ["--ignore-not-found", "--wait", "--cascade=foreground"];
  await builders.kubectl("delete", "-n", builders.namespace, "deployment", deployment, ...options);
}

/** From no builder to a ready one. */
export const bootstrap: BenchCase = {
  name: "bootstrap",
  description: "no builder → builder ready, image on the node",
  peer: "buildx 0.36.1 create --bootstrap",
  goal: 0.15,
  rounds: 3,
  prepare: async () => {
    const builders = await prepareBuilders();
    return {
      ours: builders.slipway(),
      peer: builders.buildxCreate(),
      before: async (side, round) => {
        await removeBuilder(builders, side === "ours" ? "ours" : "peer0");
        if (side === "peer" && round > 0) await builders.execute(builders.buildx("rm", "peer"));
      },
      [Symbol.asyncDispose]: () => builders[Symbol.asyncDispose](),
    };
  },
};
