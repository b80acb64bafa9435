import { readFile } from "node:fs/promises";

import type { Pod } from "@slipway/cluster";
import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";

import { createContextFolder } from "../context-folder.ts";
import type { TestNamespace } from "../test-namespace.ts";
import { ensureGoProgram } from "./go-program.ts";
import { sendToPod, type PodRequest, type PodResponse } from "./pod-http.ts";
import type { RegistryPeer } from "./registry-access.ts";
import { basicAuthorization, registryDriverOptions } from "./registry-names.ts";
import { replaceSecret, untilAnswered } from "./secret-volume.ts";
import {
  createTokenSigner,
  type TokenAuthority,
  type TokenRequest,
  type TokenServerOptions,
} from "./token-authority.ts";

/** A token server in the cluster, under a name that only the cluster knows. */
export interface ClusterTokenServer extends TokenAuthority, Pick<RegistryPeer, "authorize"> {
  /** Other users and rights, once this resolves. */
  configure(options: TokenServerOptions): Promise<void>;
  requests(): Promise<readonly TokenRequest[]>;
}

const name = "token-server";
const port = 5001;
const configFile = "config.json";

/** Starts a token server in the namespace and waits until it answers. */
export async function deployTokenServer(
  namespace: TestNamespace,
  options: TokenServerOptions,
): Promise<ClusterTokenServer> {
  const { cluster } = namespace;
  const signer = createTokenSigner();
  const metadata = { name };
  await Promise.all([
    cluster.create({
      ...{ apiVersion: "v1", kind: "Secret", metadata },
      stringData: { [configFile]: signer.configuration(options) },
    }),
    cluster.create({
      ...{ apiVersion: "v1", kind: "Service", metadata },
      spec: { selector: { app: name }, ports: [{ port }] },
    }),
    buildTokenServerImage(namespace).then((image) => cluster.create(tokenServerPod(image))),
  ]);
  await cluster.waitForPod({ namespace: namespace.name, name });
  const host = `${name}.${namespace.name}.svc:${port}`;
  const { service, issuer, jwks } = signer;
  const send = (request: PodRequest): Promise<PodResponse> =>
    sendToPod(cluster, { namespace: namespace.name, pod: name, port, host }, request);
  const ask = (user: { name: string; password: string }, scopes: readonly string[]): Promise<PodResponse> => {
    const query = new URLSearchParams({ service, client_id: "slipway-e2e" });
    for (const scope of scopes) query.append("scope", scope);
    return send({ path: `/token?${query.toString()}`, headers: { authorization: basicAuthorization(user) } });
  };
  return {
    realm: `http://${host}/token`,
    service,
    issuer,
    jwks,
    authorize: async (user, scopes) => {
      const { status, body } = await ask(user, scopes);
      if (status !== 200) throw new Error(`The token server answered ${status}: ${body.toString()}`);
      return `Bearer ${(JSON.parse(body.toString()) as { token: string }).token}`;
    },
    configure: async (changed) => {
      await replaceSecret(namespace, { secret: name, pod: name }, { [configFile]: signer.configuration(changed) });
      for (const [user, { password }] of Object.entries(changed.users)) {
        await untilAnswered(200, () => ask({ name: user, password }, []));
      }
    },
    requests: async () => JSON.parse((await send({ path: "/requests" })).body.toString()) as readonly TokenRequest[],
  };
}

/** The image comes from a build of our own, since every cluster that the tests run on can do that. */
async function buildTokenServerImage(namespace: TestNamespace): Promise<string> {
  const { registry } = namespace.testCluster;
  const dockerfile = `FROM scratch\nCOPY --chmod=755 ${name} /${name}\nENTRYPOINT ["/${name}"]\n`;
  const binary = await readFile(await ensureGoProgram(name));
  await using context = await createContextFolder({ Dockerfile: dockerfile, [name]: binary });
  await using builder = createBuilder({ driver: buildkitDriver(registryDriverOptions(namespace)) });
  const tag = `${namespace.repository}/${name}:1`;
  const { digest } = await builder.build({ context: context.path, tags: [tag] }).image();
  return `${tag.replace(registry.clusterHost, registry.nodeHost).replace(/:1$/, "")}@${digest}`;
}

function tokenServerPod(image: string): Pod {
  const folder = "/etc/slipway-e2e";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsUser: 1000, fsGroup: 1000 },
      containers: [
        {
          name,
          image,
          args: ["-config", `${folder}/${configFile}`, "-listen", `:${port}`],
          readinessProbe: { httpGet: { path: "/healthz", port: port }, periodSeconds: 1 },
          volumeMounts: [{ name: "config", mountPath: folder, readOnly: true }],
        },
      ],
      volumes: [{ name: "config", secret: { secretName: name } }],
    },
  };
}
