import { setTimeout as delay } from "node:timers/promises";

import { FileSyncService } from "../file-sync/file-sync-service.ts";
import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import { openSession, type Session } from "../session/session-server.ts";
import { healthService } from "../session/session-services.ts";
import { randomId } from "./random-id.ts";
import type { ReceivedFilesStore } from "./received-files.ts";
import type { BuildSession } from "./solve-request.ts";

// Nobody builds from so many different parts of one context by turns.
const maxWalks = 32;
// A daemon that is alive confirms within milliseconds.
const endGraceMs = 250;

/**
 * A session that offers local files and nothing else. Its id is part of the daemon's cache key for them, so a build without changes takes the id of the
 * build before and is asked for nothing. Should the daemon have lost the files it asks here, as in any other build.
 */
export class FileSession {
  readonly #id: string;
  readonly #files: FileSyncService;
  readonly #store: ReceivedFilesStore;
  readonly #session: Session;

  private constructor(id: string, files: FileSyncService, store: ReceivedFilesStore, session: Session) {
    this.#id = id;
    this.#files = files;
    this.#store = store;
    this.#session = session;
  }

  /** Compares the files with what the daemon received of them before; without a store there is no such session. */
  static async open(
    channel: GrpcChannel,
    { received: store, sharedKey, allowed }: BuildSession,
    files: FileSyncService,
  ): Promise<FileSession | undefined> {
    if (store === undefined || files.names.length === 0) return undefined;
    const known = await store.take();
    const isKnown = known !== undefined && (await files.recognise(known.walks));
    // A daemon that asks for no file cannot be kept waiting for the first one.
    if (isKnown) await untilAllowed(allowed, () => store.keep(known));
    const id = isKnown ? known.session : randomId();
    const handlers = new Map([healthService(), [FileSyncService.method, files.handle] as const]);
    return new FileSession(id, files, store, openSession(channel, { id, sharedKey, handlers }));
  }

  /** Makes the Dockerfile frontend ask here. One that does not know the attribute asks in the build's own session. */
  get attributes(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#files.names.map((name) => [`local-sessionid:${name}`, this.#id]));
  }

  /** What made the daemon's walk fail. */
  get failure(): unknown {
    return this.#session.failure;
  }

  /** Closes the session and keeps what the daemon has, once the daemon has let go of the id: it would take a new session of that id along. */
  async end(): Promise<void> {
    const { received: walks } = this.#files;
    this.#session.close();
    const ended = await Promise.race([this.#session.ended.then(() => true), delay(endGraceMs, false, { ref: false })]);
    if (!ended || walks === undefined || walks.length === 0 || walks.length > maxWalks) return;
    await this.#store.keep({ session: this.#id, walks });
  }

  close(): void {
    this.#session.close();
  }
}

async function untilAllowed(allowed: Promise<void> | undefined, onRefused: () => Promise<void>): Promise<void> {
  try {
    await allowed;
  } catch (error) {
    await onRefused();
    throw error;
  }
}
