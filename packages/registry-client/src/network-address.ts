import { BlockList, isIP } from "node:net";

/** What kind of place an address is, as seen from the public internet. */
export type AddressKind = "metadata" | "loopback" | "link-local" | "private" | "public";

/** The ranges of IANA's special-purpose registries that no registry of the internet has a reason to name. */
const ranges: Readonly<Record<Exclude<AddressKind, "public">, readonly string[]>> = {
  // Where clouds tell a machine its credentials: AWS, GCP, Azure and others; ECS and EKS; Alibaba; Azure's wire server; Oracle's first.
  metadata: [
    "169.254.169.254/32",
    "169.254.169.253/32",
    "169.254.170.0/23",
    "169.254.42.42/32",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "fd00:ec2::/32",
    "fd20:ce::254/128",
  ],
  loopback: ["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"],
  "link-local": ["169.254.0.0/16", "fe80::/10", "fec0::/10"],
  private: [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "192.0.0.0/24",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "fc00::/7",
    "ff00::/8",
  ],
};

const lists = Object.entries(ranges).map(([kind, subnets]) => [kind as AddressKind, blockList(subnets)] as const);

/** @param address - An IP address; in IPv6 with an IPv4 address inside, the inner one counts. */
export function addressKind(address: string): AddressKind {
  const plain = embeddedIpv4(withoutZone(address)) ?? withoutZone(address);
  const family = isIP(plain) === 6 ? "ipv6" : "ipv4";
  return lists.find(([, list]) => list.check(plain, family))?.[0] ?? "public";
}

/** What a host is by its name alone: an address written out, or a name that only an inner network can resolve. */
export function hostKind(hostname: string): AddressKind | "internal-name" {
  const host = bareHost(hostname);
  if (isIP(withoutZone(host)) !== 0) return addressKind(host);
  if (/^(metadata|metadata\.google\.internal|metadata\.goog|instance-data(\..*)?)$/.test(host)) return "metadata";
  if (host === "localhost" || host.endsWith(".localhost")) return "loopback";
  const internal = !host.includes(".") || /\.(local|internal|svc|lan|intranet|home\.arpa)$/.test(host);
  return internal ? "internal-name" : "public";
}

/** A host as it is compared: in lower case, without the brackets of IPv6 and the dot of the root. */
export function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}

/** `::ffff:127.0.0.1` in both spellings, NAT64's `64:ff9b::7f00:1` and 6to4's `2002:7f00:1::`. */
function embeddedIpv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const groups = ipv6Groups(address);
  const zeros = (count: number): boolean => groups.slice(0, count).every((group) => group === 0);
  const mapped = zeros(5) && (groups[5] === 0xffff || (groups[5] === 0 && (groups[6] !== 0 || (groups[7] ?? 0) > 1)));
  const nat64 = groups[0] === 0x64 && groups[1] === 0xff9b;
  if (mapped || nat64) return dotted(groups[6] ?? 0, groups[7] ?? 0);
  return groups[0] === 0x2002 ? dotted(groups[1] ?? 0, groups[2] ?? 0) : undefined;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function ipv6Groups(address: string): number[] {
  const hexadecimal = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, ...bytes: string[]) =>
      `${((Number(bytes[0]) << 8) | Number(bytes[1])).toString(16)}:${((Number(bytes[2]) << 8) | Number(bytes[3])).toString(16)}`,
  );
  const [head = "", tail] = hexadecimal.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(gap).fill("0"), ...right].map((group) => Number.parseInt(group, 16));
}

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = "", prefix = ""] = subnet.split("/");
    list.addSubnet(address, Number(prefix), address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}
