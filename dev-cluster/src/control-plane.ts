import { join } from "node:path";

import type { AddressPlan } from "./address-plan.ts";
import type { ClusterPaths } from "./cluster-paths.ts";
import { componentKubeconfig } from "./kube-config.ts";

/** A daemon by the name of its log file, and the command that runs it. */
export interface DaemonCommand {
  readonly name: string;
  readonly argv: readonly string[];
}

/** Flags as an object: `{ "bind-address": "0.0.0.0" }` becomes `--bind-address=0.0.0.0`. */
export function flags(values: Readonly<Record<string, string | number | boolean>>): readonly string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

/** etcd keeps its data across restarts; without fsync, since losing the last moment of a crash does no harm here. */
export function etcdCommand(paths: ClusterPaths, hyper: string): DaemonCommand {
  const client = "http://127.0.0.1:2379";
  const peer = "http://127.0.0.1:2380";
  const values = {
    "data-dir": join(paths.root, "control-plane", "etcd"),
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `default=${peer}`,
    "unsafe-no-fsync": true,
    "log-level": "warn",
  };
  return { name: "etcd", argv: [hyper, "etcd", ...flags(values)] };
}

/** The API server, with Pod Security and the other default admission plugins. */
export function apiServerCommand(paths: ClusterPaths, plan: AddressPlan, hyper: string): DaemonCommand {
  const pki = (file: string): string => join(paths.pki, file);
  const values = {
    "etcd-servers": "http://127.0.0.1:2379",
    // Old revisions go after a minute or two, so that a watch can meet a real 410 within a test's patience.
    "etcd-compaction-interval": "1m",
    "bind-address": "0.0.0.0",
    "secure-port": 6443,
    "advertise-address": plan.controlPlane,
    "tls-cert-file": pki("apiserver.crt"),
    "tls-private-key-file": pki("apiserver.key"),
    "client-ca-file": pki("ca.crt"),
    "requestheader-client-ca-file": pki("ca.crt"),
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-username-headers": "X-Remote-User",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
    "proxy-client-cert-file": pki("front-proxy.crt"),
    "proxy-client-key-file": pki("front-proxy.key"),
    "token-auth-file": pki("tokens.csv"),
    "kubelet-client-certificate": pki("kubelet-client.crt"),
    "kubelet-client-key": pki("kubelet-client.key"),
    "kubelet-preferred-address-types": "InternalIP",
    "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
    "service-account-key-file": pki("sa.pub"),
    "service-account-signing-key-file": pki("sa.key"),
    "service-cluster-ip-range": plan.serviceCidr,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "allow-privileged": true,
    "enable-priority-and-fairness": false,
    "cert-dir": join(paths.root, "control-plane", "apiserver"),
    profiling: false,
  };
  return { name: "apiserver", argv: [hyper, "kube-apiserver", ...flags(values)] };
}

/** What runs beside the API server once it answers: controllers and scheduler. */
export function controllerCommands(paths: ClusterPaths, name: string, hyper: string): readonly DaemonCommand[] {
  const common = (component: string): Record<string, string | boolean> => ({
    kubeconfig: componentKubeconfig(paths, component),
    "authentication-kubeconfig": componentKubeconfig(paths, component),
    "authorization-kubeconfig": componentKubeconfig(paths, component),
    "leader-elect": false,
    "bind-address": "127.0.0.1",
  });
  const manager = {
    ...common("controller-manager"),
    "service-account-private-key-file": join(paths.pki, "sa.key"),
    "root-ca-file": join(paths.pki, "ca.crt"),
    "use-service-account-credentials": true,
    "cluster-name": name,
    "flex-volume-plugin-dir": "/var/lib/kubelet/volumeplugins",
  };
  return [
    { name: "controller-manager", argv: [hyper, "kube-controller-manager", ...flags(manager)] },
    { name: "scheduler", argv: [hyper, "kube-scheduler", ...flags(common("scheduler"))] },
  ];
}

/** DNS and the volume provisioner; nodes and most pods do without them. */
export function addonCommands(paths: ClusterPaths, addons: string): readonly DaemonCommand[] {
  const kubeconfig = componentKubeconfig(paths, "addons");
  return [
    { name: "dns", argv: [addons, "-conf", corefilePath(paths)] },
    { name: "provisioner", argv: [addons, "provisioner", kubeconfig, paths.volumes] },
  ];
}

/** Where the configuration of CoreDNS is written. */
export function corefilePath(paths: ClusterPaths): string {
  return join(paths.config, "Corefile");
}

/** Renders the configuration of CoreDNS: cluster names only, nothing is forwarded. */
export function corefile(paths: ClusterPaths, plan: AddressPlan): string {
  return `.:53 {
    bind ${plan.controlPlane}
    errors
    health 127.0.0.1:8080
    ready 127.0.0.1:8181
    cache 5
    kubernetes cluster.local in-addr.arpa {
        kubeconfig ${componentKubeconfig(paths, "addons")}
        ttl 5
    }
}
`;
}
