import { createHash } from "node:crypto";
import type { Agent } from "node:http";
import type { Duplex } from "node:stream";

import type { Credentials } from "../auth/credentials.ts";
import type { Dialer } from "./dialer.ts";
import { http } from "./node-http.ts";

const idleMs = 30_000;

/** Connections kept alive and shared by all calls; a new client certificate gets new ones. */
export interface AgentPool {
  agent(certificate: Credentials["certificate"]): Agent;
  /** Closes the connections that nobody uses: where one was silently dead, the others are as well. */
  dropIdle(): void;
  close(): void;
}

function fingerprint(certificate: Credentials["certificate"]): string {
  if (!certificate) return "";
  return createHash("sha256").update(certificate.cert).update(certificate.key).digest("hex");
}

function createAgent(dialer: Dialer, certificate: Credentials["certificate"]): Agent {
  // The timeout closes idle connections only, before a load balancer does so behind our back.
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 16, timeout: idleMs });
  agent.createConnection = (_options, callback) => {
    dialer.dial(certificate).then(
      (socket) => callback?.(null, socket),
      (error: unknown) => callback?.(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  };
  return agent;
}

/** Makes an empty pool. TLS is the dialer's business, so that a plain http agent serves both schemes. */
export function createAgentPool(dialer: Dialer): AgentPool {
  let current: { agent: Agent; print: string } | undefined;
  const retired: Agent[] = [];
  return {
    agent: (certificate) => {
      const print = fingerprint(certificate);
      if (current && current.print !== print) {
        current.agent.maxFreeSockets = 0;
        retired.push(current.agent);
        current = undefined;
      }
      current ??= { agent: createAgent(dialer, certificate), print };
      return current.agent;
    },
    dropIdle: () => {
      for (const socket of Object.values(current?.agent.freeSockets ?? {}).flat()) socket?.destroy();
    },
    close: () => {
      for (const agent of retired) agent.destroy();
      current?.agent.destroy();
    },
  };
}
