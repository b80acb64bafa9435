import type { Connection } from "./connection.ts";

/** What a pool keeps. */
export interface ConnectionPoolOptions {
  /** How long a connection is kept for the next request, in milliseconds; `0` keeps none. */
  readonly idleMs: number;
  /** How many are kept for the same kind of request. */
  readonly maxIdle: number;
}

/** Keeps connections for further requests: the one that was used last is the next. */
export interface ConnectionPool {
  /** A connection that an earlier request with this key has left. */
  take(key: string): Connection | undefined;
  /** @param hintMs - After how long the server ends idle connections, if it says so. */
  give(key: string, connection: Connection, hintMs?: number): void;
  /** Ends all that nothing uses at present. */
  endIdle(): void;
}

/** Begins with none. */
export function createConnectionPool({ idleMs, maxIdle }: ConnectionPoolOptions): ConnectionPool {
  const idle = new Map<string, Map<Connection, NodeJS.Timeout>>();
  const drop = (key: string, connection: Connection): void => {
    const kept = idle.get(key);
    clearTimeout(kept?.get(connection));
    kept?.delete(connection);
    if (kept?.size === 0) idle.delete(key);
  };
  const end = (key: string, connection: Connection): void => {
    drop(key, connection);
    connection.fail();
  };
  return {
    take: (key) => {
      for (const connection of [...(idle.get(key)?.keys() ?? [])].reverse()) {
        drop(key, connection);
        // It may have ended in this very moment, before anybody was told.
        if (connection.isUseless) connection.fail();
        else {
          connection.wake();
          return connection;
        }
      }
      return undefined;
    },
    give: (key, connection, hintMs = Number.POSITIVE_INFINITY) => {
      const kept = idle.get(key) ?? new Map<Connection, NodeJS.Timeout>();
      const keptMs = Math.min(idleMs, hintMs);
      if (connection.isUseless || keptMs <= 0 || kept.size >= maxIdle) {
        connection.fail();
        return;
      }
      const endThis = (): void => {
        end(key, connection);
      };
      idle.set(key, kept);
      kept.set(connection, setTimeout(endThis, keptMs).unref());
      connection.watchIdle(endThis);
    },
    endIdle: () => {
      for (const [key, kept] of [...idle]) for (const connection of [...kept.keys()]) end(key, connection);
    },
  };
}
