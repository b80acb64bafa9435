import { expect, it } from "vitest";

import { isKilledSince, parseOomKills } from "./oom-kills.ts";

const container = "e2222075195a10d0d6f4fae1465d9d6c2e3314af49d278ebf7a2208bf0c8aa40";

/** What the script printed in a rootful pod, cgroup v1, kernel 6.18; ids of other pods shortened. */
const onVersion1 = `counted 0
[ 3401.100000] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/kubepods/podaaa,task_memcg=/kubepods/podaaa/0123/buildkit/x,task=awk,pid=1,uid=0
[ 3636.717722] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=s76lthh2bzh4ky8y71nyb64s9,mems_allowed=0,oom_memcg=/slipway-slipway-b0b596c5/node-b/kubepods/burstable/pod97ad3d23-972d-40ad-aec1-cda0bf0ea60f,task_memcg=/slipway-slipway-b0b596c5/node-b/kubepods/burstable/pod97ad3d23-972d-40ad-aec1-cda0bf0ea60f/${container}/buildkit/s76lthh2bzh4ky8y71nyb64s9,task=awk,pid=16090,uid=0
`;

it("finds the kill in the container's groups, and none of other pods", () => {
  expect(parseOomKills(onVersion1, container)).toEqual({ counted: 0, logged: ["3636.717722"] });
  expect(parseOomKills(onVersion1, "4567").logged).toEqual([]);
  expect(parseOomKills(onVersion1, "").logged).toEqual([]);
});

it("reads what kernels before 5.0 and the systemd driver write", () => {
  const line = `[  100.500000] Task in /kubepods.slice/cri-containerd-${container}.scope/buildkit/x killed as a result of limit of /kubepods.slice`;
  expect(parseOomKills(`${line}\n`, container)).toEqual({ logged: ["100.500000"] });
});

it("takes nothing from output that it does not know", () => {
  expect(parseOomKills("sh: not found\n", container)).toEqual({ logged: [] });
  expect(parseOomKills(`oom-kill:task_memcg=/${container},task=awk`, container)).toEqual({ logged: [] });
});

it("tells a kill during this build from earlier ones", () => {
  const earlier = { logged: ["3401.1"] };
  expect(isKilledSince(earlier, { logged: ["3401.1", "3636.7"] })).toBe(true);
  expect(isKilledSince(earlier, { logged: ["3401.1"] })).toBe(false);
  expect(isKilledSince(earlier, { logged: [] })).toBe(false);
  expect(isKilledSince({ counted: 1, logged: [] }, { counted: 2, logged: [] })).toBe(true);
  expect(isKilledSince({ counted: 2, logged: [] }, { counted: 2, logged: [] })).toBe(false);
  expect(isKilledSince(undefined, { counted: 2, logged: ["3636.7"] })).toBe(false);
  expect(isKilledSince(earlier, undefined)).toBe(false);
});
