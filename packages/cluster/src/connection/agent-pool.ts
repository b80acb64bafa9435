import { createHash } from "node:crypto";
import type { Agent } from "node:http";
import type { Duplex } from "node:stream";

import type { Credentials } from "../auth/credentials.ts";
import type { Dialer } from "./dialer.ts";
import { http } from "./node-http.ts";

const idleMs = 30_000;
// What was idle for longer may be dead without a sign, and a stream cannot be asked for twice.
const recentMs = 2000;

/** Connections kept alive and shared by all calls; a new client certificate gets new ones. */
export interface AgentPool {
  agent(certificate: Credentials["certificate"]): Agent;
  /** For a stream, which keeps its connection: an agent with one that has just answered a call, or that makes a new one. */
  forStream(certificate: Credentials["certificate"]): Agent;
  /** Closes the connections that nobody uses: where one was silently dead, the others are as well. */
  dropIdle(): void;
  close(): void;
}

function fingerprint(certificate: Credentials["certificate"]): string {
  if (!certificate) return "";
  return createHash("sha256").update(certificate.cert).update(certificate.key).digest("hex");
}

function createAgent(dialer: Dialer, certificate: Credentials["certificate"], freedMs: WeakMap<Duplex, number>): Agent {
  // The timeout closes idle connections only, before a load balancer does so behind our back.
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 16, timeout: idleMs });
  agent.createConnection = (_options, callback) => {
    dialer.dial(certificate).then(
      (socket) => callback?.(null, socket),
      (error: unknown) => callback?.(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  };
  agent.on("free", (socket: Duplex) => freedMs.set(socket, performance.now()));
  return agent;
}

/** Makes an empty pool. TLS is the dialer's business, so that a plain http agent serves both schemes. */
export function createAgentPool(dialer: Dialer): AgentPool {
  let current: { agent: Agent; print: string } | undefined;
  const retired: Agent[] = [];
  const freedMs = new WeakMap<Duplex, number>();
  const agentFor = (certificate: Credentials["certificate"]): Agent => {
    const print = fingerprint(certificate);
    if (current && current.print !== print) {
      current.agent.maxFreeSockets = 0;
      retired.push(current.agent);
      current = undefined;
    }
    current ??= { agent: createAgent(dialer, certificate, freedMs), print };
    return current.agent;
  };
  return {
    agent: agentFor,
    forStream: (certificate) => {
      const agent = agentFor(certificate);
      const idle = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
      const isRecent = idle.some((socket) => performance.now() - (freedMs.get(socket) ?? 0) < recentMs);
      if (isRecent) return agent;
      const once = createAgent(dialer, certificate, freedMs);
      // What is left of an upgrade that was refused is of no use to anybody.
      once.maxFreeSockets = 0;
      return once;
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
