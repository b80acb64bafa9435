import type { Pod, Service } from "@slipway/cluster";

import type { TestNamespace } from "../test-namespace.ts";
import { hashPasswords, type Passwords } from "./password-file.ts";
import { sendToPod } from "./pod-http.ts";
import type { RegistryPeer } from "./registry-access.ts";
import { htpasswdSettings, tokenSettings } from "./registry-settings.ts";
import { untilServed } from "./service-route.ts";
import { deployTokenServer, type ClusterTokenServer } from "./deploy-token-server.ts";
import { basicAuthorization, registryHost, registryName, registryPort } from "./registry-names.ts";
import { replaceSecret, untilAnswered } from "./secret-volume.ts";
import type { TokenServerOptions } from "./token-authority.ts";

/** Who may come to a registry in the cluster, and from where. */
export interface ClusterRegistryOptions {
  readonly auth: { readonly htpasswd: Passwords } | { readonly tokens: TokenServerOptions };
  /** Let nodes pull by `nodeHost`. @defaultValue false */
  readonly nodePort?: boolean;
}

/** Distribution 3 in a test's namespace, over plain HTTP; it goes with the namespace. */
export interface ClusterRegistry extends RegistryPeer {
  /** What pods call it. */
  readonly host: string;
  /** What nodes call it, if it has a NodePort: there is no other name under which they need no TLS. */
  readonly nodeHost: string | undefined;
  /** With token auth: who asked for what. */
  readonly tokenServer: ClusterTokenServer | undefined;
  /** With `htpasswd`: other passwords, once this resolves. */
  setPasswords(passwords: Passwords): Promise<void>;
}

const secretName = "registry-auth";
const authFolder = "/etc/slipway-e2e";

/** Starts a registry in the namespace and waits until it answers. */
export async function deployRegistry(
  namespace: TestNamespace,
  { auth, nodePort = false }: ClusterRegistryOptions,
): Promise<ClusterRegistry> {
  const { cluster, name } = namespace;
  const host = registryHost(name);
  const tokenServer = "tokens" in auth ? await deployTokenServer(namespace, auth.tokens) : undefined;
  const [service] = await Promise.all([
    cluster.create<Service>(registryService(nodePort)),
    createAuthSecret(namespace, auth, tokenServer),
  ]);
  await cluster.create(registryPod(namespace, tokenServer));
  await cluster.waitForPod({ namespace: name, name: registryName });
  await untilServed(namespace, host);
  const send: RegistryPeer["send"] = (request) =>
    sendToPod(cluster, { namespace: name, pod: registryName, port: registryPort, host }, request);
  return {
    host,
    nodeHost: nodePort ? `127.0.0.1:${service.spec?.ports?.[0]?.nodePort ?? 0}` : undefined,
    tokenServer,
    send,
    authorize: tokenServer?.authorize ?? ((user) => Promise.resolve(basicAuthorization(user))),
    setPasswords: async (passwords) => {
      await replaceSecret(
        namespace,
        { secret: secretName, pod: registryName },
        { htpasswd: await hashPasswords(passwords) },
      );
      for (const [user, password] of Object.entries(passwords)) {
        const headers = { authorization: basicAuthorization({ name: user, password }) };
        await untilAnswered(200, () => send({ path: "/v2/", headers }));
      }
    },
  };
}

async function createAuthSecret(
  { cluster }: TestNamespace,
  auth: ClusterRegistryOptions["auth"],
  tokenServer: ClusterTokenServer | undefined,
): Promise<void> {
  const stringData = {
    ...("htpasswd" in auth ? { htpasswd: await hashPasswords(auth.htpasswd) } : {}),
    ...(tokenServer === undefined ? {} : { "jwks.json": tokenServer.jwks }),
  };
  await cluster.create({ apiVersion: "v1", kind: "Secret", metadata: { name: secretName }, stringData });
}

function registryService(nodePort: boolean): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: registryName },
    spec: {
      type: nodePort ? "NodePort" : "ClusterIP",
      selector: { app: registryName },
      ports: [{ port: registryPort }],
    },
  };
}

function registryPod({ testCluster }: TestNamespace, tokenServer: ClusterTokenServer | undefined): Pod {
  const settings =
    tokenServer === undefined
      ? htpasswdSettings(`${authFolder}/htpasswd`)
      : tokenSettings(tokenServer, `${authFolder}/jwks.json`);
  const env = { ...settings, REGISTRY_STORAGE_DELETE_ENABLED: "true", OTEL_TRACES_EXPORTER: "none" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: registryName, labels: { app: registryName } },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { fsGroup: 1000, runAsUser: 1000 },
      containers: [
        {
          name: "registry",
          image: testCluster.images.registry,
          imagePullPolicy: "IfNotPresent",
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          readinessProbe: { tcpSocket: { port: registryPort }, periodSeconds: 1 },
          volumeMounts: [
            { name: "data", mountPath: "/var/lib/registry" },
            { name: "auth", mountPath: authFolder, readOnly: true },
          ],
        },
      ],
      volumes: [
        { name: "data", emptyDir: {} },
        { name: "auth", secret: { secretName } },
      ],
    },
  };
}
