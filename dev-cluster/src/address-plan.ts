/** One worker node's share of the address plan. */
export interface NodeAddresses {
  readonly name: string;
  readonly address: string;
  readonly podSubnet: string;
}

/** Every address and interface name of one cluster, derived from its index alone. */
export interface AddressPlan {
  readonly index: number;
  /** The host's end of the only link between the host and the cluster. */
  readonly hostLink: string;
  readonly hostAddress: string;
  readonly nodeNetwork: string;
  readonly controlPlane: string;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly kubernetesService: string;
  readonly nodes: readonly NodeAddresses[];
}

/** Clusters with an index from 0 to this can run at the same time. */
export const maxIndex = 63;

/** Derives the plan: 10.250.i.0/24 for nodes, four pod subnets from 10.251.(4i).0, 10.252.i.0/24 for Services. */
export function addressPlan(index: number): AddressPlan {
  if (!Number.isInteger(index) || index < 0 || index > maxIndex) {
    throw new RangeError(`The cluster index must be a whole number from 0 to ${maxIndex}, not ${index}.`);
  }
  return {
    index,
    hostLink: `slipway${index}`,
    hostAddress: `10.250.${index}.254`,
    nodeNetwork: `10.250.${index}.0/24`,
    controlPlane: `10.250.${index}.1`,
    clusterCidr: `10.251.${index * 4}.0/22`,
    serviceCidr: `10.252.${index}.0/24`,
    kubernetesService: `10.252.${index}.1`,
    nodes: ["node-a", "node-b"].map((name, position) => ({
      name,
      address: `10.250.${index}.${11 + position}`,
      podSubnet: `10.251.${index * 4 + 1 + position}.0/24`,
    })),
  };
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function range(cidr: string): { first: number; last: number } {
  const [address = "", bits = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(toNumber(address) / size) * size;
  return { first, last: first + size - 1 };
}

/** Whether two IPv4 ranges (`a.b.c.d/n`, or one address) have an address in common. */
export function rangesOverlap(left: string, right: string): boolean {
  const [a, b] = [range(left), range(right)];
  return a.first <= b.last && b.first <= a.last;
}

/** The ranges that a host route must not lie in, or the cluster would be unreachable from the host. */
export function hostRanges(plan: AddressPlan): readonly string[] {
  return [plan.nodeNetwork];
}
