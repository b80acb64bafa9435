import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

/** The few requests that the set-up itself makes to the API server. */
export interface KubeApi extends Disposable {
  /** Sends one request; answers of 400 and more throw, except 404, which gives undefined. */
  call(method: "GET" | "PATCH" | "DELETE", path: string, body?: object): Promise<unknown>;
  /** Creates or updates an object by server-side apply. */
  apply(path: string, object: object): Promise<void>;
  isReady(): Promise<boolean>;
}

interface Kubeconfig {
  readonly clusters: readonly { cluster: { server: string; "certificate-authority-data": string } }[];
  readonly users: readonly { user: { token: string } }[];
}

/** Talks to the cluster of a kubeconfig that the set-up wrote itself. The server must prove itself by our own CA. */
export function connectKubeApi(kubeconfig: string): KubeApi {
  const config = JSON.parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const ca = Buffer.from(cluster?.["certificate-authority-data"] ?? "", "base64");
  const agent = new Agent({ ca, keepAlive: true });
  const headers = { authorization: `Bearer ${config.users[0]?.user.token ?? ""}` };
  const send = (method: string, path: string, type: string, body?: object): Promise<{ status: number; text: string }> =>
    sendRequest(`${cluster?.server ?? ""}${path}`, agent, method, { ...headers, "content-type": type }, body);
  const checked = async (method: string, path: string, type: string, body?: object): Promise<unknown> => {
    const { status, text } = await send(method, path, type, body);
    if (status === 404) return undefined;
    if (status >= 400) throw new Error(`${method} ${path} answered ${status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  };
  return {
    call: (method, path, body) => checked(method, path, "application/json", body),
    async apply(path, object) {
      await checked("PATCH", `${path}?fieldManager=dev-cluster&force=true`, "application/apply-patch+yaml", object);
    },
    isReady: () =>
      send("GET", "/readyz", "text/plain").then(
        ({ text }) => text === "ok",
        () => false,
      ),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

const timeoutMs = 5000;

function sendRequest(
  url: string,
  agent: Agent,
  method: string,
  headers: Record<string, string>,
  body: object | undefined,
): Promise<{ status: number; text: string }> {
  const bytes = Buffer.from(body === undefined ? "" : JSON.stringify(body));
  // Without a length, Node sends the body of a DELETE unframed.
  const framed = { ...headers, "content-length": String(bytes.length) };
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, method, headers: framed, timeout: timeoutMs }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text })).on("error", reject);
    });
    call.on("timeout", () => call.destroy(new Error(`${url} did not answer within ${timeoutMs} ms.`)));
    call.on("error", reject);
    call.end(bytes);
  });
}
