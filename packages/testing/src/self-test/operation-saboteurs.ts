import { lost } from "./saboteur.ts";
import type { Saboteur } from "./saboteur.ts";

/** What can be wrong with what a driver does beside `build`. */
export const operationSaboteurs: readonly Saboteur[] = [
  {
    name: "kills a build when its watcher lets go",
    requirement: "attach-watches",
    sabotage: (cluster) => (next) => ({
      attach: async (buildId, call) => {
        call.signal.addEventListener("abort", () => cluster.builds.get(buildId)?.kill());
        return (await next.attach?.(buildId, call)) ?? {};
      },
    }),
  },
  {
    name: "tells a late watcher nothing of what has happened",
    requirement: "attach-from-the-start",
    sabotage: (cluster) => (next) => ({
      attach: async (buildId, call) => {
        const alive = cluster.builds.get(buildId)?.alive === true;
        return (await next.attach?.(buildId, alive ? call : { ...call, emit: () => {} })) ?? {};
      },
    }),
  },
  {
    name: "cancels nothing",
    requirement: "cancel-by-id",
    sabotage: () => () => ({ cancel: async () => {} }),
  },
  {
    name: "grows when it is pruned",
    requirement: "disk-usage",
    sabotage: () => {
      let totalBytes = 0;
      return () => ({ diskUsage: async () => ({ totalBytes: totalBytes++, reclaimableBytes: 0, records: [] }) });
    },
  },
  {
    name: "never says that it runs",
    requirement: "bootstrap",
    sabotage: () => (next) => ({
      status: async (call) => {
        const status = await next.status?.(call);
        return { nodes: [], state: status === undefined || status.state === "running" ? "starting" : status.state };
      },
    }),
  },
  {
    name: "cannot be started again once stopped",
    requirement: "stop-and-start",
    sabotage: () => (next) => {
      let stopped = false;
      return {
        stop: async (call) => {
          stopped = true;
          await next.stop?.(call);
        },
        build: (request, call) => (stopped ? Promise.reject(lost()) : next.build(request, call)),
      };
    },
  },
  {
    name: "cannot be removed twice",
    requirement: "remove-and-start",
    sabotage: () => (next) => {
      let removed = false;
      return {
        remove: async (options, call) => {
          if (removed) throw lost();
          removed = true;
          await next.remove?.(options, call);
        },
      };
    },
  },
];
