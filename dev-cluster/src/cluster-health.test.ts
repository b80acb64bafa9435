import { describe, expect, it } from "vitest";

import { nodeStates } from "./cluster-health.ts";

describe("nodeStates", () => {
  it("reads readiness and taints of each node", () => {
    const condition = (status: string): object => ({ type: "Ready", status, lastHeartbeatTime: "" });
    const list = {
      items: [
        {
          metadata: { name: "a" },
          spec: {},
          status: { conditions: [{ type: "DiskPressure", status: "False" }, condition("True")] },
        },
        { metadata: { name: "b" }, spec: { taints: [{}] }, status: { conditions: [condition("Unknown")] } },
        { metadata: { name: "c" }, spec: {}, status: {} },
      ],
    };
    expect(nodeStates(list)).toEqual([
      { name: "a", isReady: true, isTainted: false },
      { name: "b", isReady: false, isTainted: true },
      { name: "c", isReady: false, isTainted: false },
    ]);
    expect(nodeStates(undefined)).toEqual([]);
  });
});
