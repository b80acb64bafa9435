import { createHash } from "node:crypto";

import { type AddressPlan, addressPlan, hostRanges, maxIndex, rangesOverlap } from "./address-plan.ts";
import { ClusterFailure } from "./failure.ts";
import { type NamespaceSet, enterNetwork } from "./namespaces.ts";
import { runCommand } from "./run-command.ts";

interface Link {
  readonly ifname: string;
  readonly address: string;
}

interface Route {
  readonly dst: string;
  readonly dev?: string;
}

const ip = (...words: string[]): Promise<string> => runCommand(["ip", ...words]);

async function links(): Promise<readonly Link[]> {
  return JSON.parse(await ip("-j", "link", "show")) as Link[];
}

/** The hardware address of the host's end of the link: it says which cluster made the link. */
export function linkAddress(id: string): string {
  const digits = createHash("sha256").update(id).digest("hex").slice(0, 10);
  return ["02", ...(digits.match(/../g) ?? [])].join(":");
}

/** Why an index cannot be taken, or undefined when it can. */
export function indexConflict(
  index: number,
  id: string,
  found: readonly Link[],
  routes: readonly Route[],
): string | undefined {
  const plan = addressPlan(index);
  const link = found.find(({ ifname }) => ifname === plan.hostLink);
  if (link && link.address !== linkAddress(id)) return `another cluster uses index ${index} (link ${plan.hostLink})`;
  const route = routes.find(
    ({ dst, dev }) =>
      dst !== "default" && dev !== plan.hostLink && hostRanges(plan).some((range) => rangesOverlap(range, dst)),
  );
  return route && `this machine has a route to ${route.dst}, inside ${plan.nodeNetwork}`;
}

/** Chooses the wanted index, else the last one, else the first free one. */
export async function chooseIndex(id: string, wanted: number | undefined, last: number | undefined): Promise<number> {
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 0 && wanted <= maxIndex)) {
    throw new ClusterFailure(`There is no index ${wanted}.`, {
      remedy: `Choose a whole number from 0 to ${maxIndex}.`,
    });
  }
  const found = await links();
  const routes = JSON.parse(await ip("-j", "-4", "route", "show")) as Route[];
  const conflict = (index: number): string | undefined => indexConflict(index, id, found, routes);
  if (wanted !== undefined) {
    const reason = conflict(wanted);
    if (reason === undefined) return wanted;
    throw new ClusterFailure(`Index ${wanted} cannot be used: ${reason}.`, {
      remedy: "Leave --index out, or choose another one.",
    });
  }
  const candidates = [
    ...(last === undefined ? [] : [last]),
    ...Array.from({ length: maxIndex + 1 }, (_, index) => index),
  ];
  const free = candidates.find((index) => conflict(index) === undefined);
  if (free !== undefined) return free;
  throw new ClusterFailure("No address range is free.", { remedy: "End a cluster with `down --name NAME`." });
}

/** Makes the link between the host and the control plane. The name can be taken only once, so it claims the index. */
export async function claimHostLink(plan: AddressPlan, id: string): Promise<void> {
  const peer = `${plan.hostLink}p`;
  await ip("link", "add", plan.hostLink, "address", linkAddress(id), "type", "veth", "peer", "name", peer);
}

/** Removes the host's link of a cluster, whatever its index was. Its routes go with it. */
export async function removeHostLink(id: string): Promise<void> {
  const ours = async (): Promise<readonly Link[]> =>
    (await links()).filter(({ address }) => address === linkAddress(id));
  for (const { ifname } of await ours()) {
    try {
      await ip("link", "delete", ifname);
    } catch (error) {
      // The kernel removes it by itself when the other end's namespace ends.
      if ((await ours()).some((link) => link.ifname === ifname)) throw error;
    }
  }
}

/**
 * Joins host, control plane and nodes. The bridge lies in the control plane's namespace, so that the machine's own
 * firewall, forwarding and bridge settings do not matter; the host gets one address and, unless `routes`, no route
 * beyond the API server's network.
 */
export async function connectNetworks(
  plan: AddressPlan,
  controlPlane: NamespaceSet,
  nodes: readonly NamespaceSet[],
  routes: boolean,
): Promise<void> {
  const inside = (set: NamespaceSet, lines: readonly string[]): Promise<string> =>
    runCommand([...enterNetwork(set.init), "ip", "-batch", "-"], { input: lines.map((line) => `${line}\n`).join("") });
  await ip("link", "set", `${plan.hostLink}p`, "netns", String(controlPlane.init.pid));
  await inside(controlPlane, [
    "link add br0 type bridge",
    `address add ${plan.controlPlane}/24 dev br0`,
    "link set br0 up",
    `link set ${plan.hostLink}p master br0 up`,
    ...nodes.flatMap(({ name, init }) => [
      `link add v-${name} type veth peer name eth0 netns ${init.pid}`,
      `link set v-${name} master br0 up`,
    ]),
  ]);
  await Promise.all(nodes.map((set, position) => inside(set, nodeLines(plan, position))));
  await inside(controlPlane, [
    ...plan.nodes.map((node) => `route add ${node.podSubnet} via ${node.address}`),
    `route add ${plan.serviceCidr} via ${plan.nodes[0]?.address ?? ""}`,
  ]);
  await connectHost(plan, routes);
}

function nodeLines(plan: AddressPlan, position: number): readonly string[] {
  const others = plan.nodes.filter((_, other) => other !== position);
  return [
    `address add ${plan.nodes[position]?.address ?? ""}/24 dev eth0`,
    "link set eth0 up",
    `route add default via ${plan.controlPlane}`,
    ...others.map((node) => `route add ${node.podSubnet} via ${node.address}`),
  ];
}

async function connectHost(plan: AddressPlan, routes: boolean): Promise<void> {
  await ip("address", "add", plan.hostAddress, "peer", `${plan.controlPlane}/32`, "dev", plan.hostLink);
  await ip("link", "set", plan.hostLink, "up");
  if (!routes) return;
  for (const range of [plan.nodeNetwork, plan.clusterCidr, plan.serviceCidr]) {
    await ip("route", "add", range, "via", plan.controlPlane, "dev", plan.hostLink);
  }
}
