import { describe, expect, it } from "vitest";

import { parseCgroupMounts } from "./cgroups.ts";

describe("parseCgroupMounts", () => {
  it("finds the hierarchies of version 1 and a version 2 mount beside them", () => {
    const mounts = [
      "tmpfs /sys/fs/cgroup tmpfs rw 0 0",
      "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0",
      "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0",
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
      "",
    ].join("\n");
    expect(parseCgroupMounts(mounts)).toEqual({
      version1: ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu,cpuacct"],
      version2: ["/sys/fs/cgroup/unified"],
    });
  });
});
