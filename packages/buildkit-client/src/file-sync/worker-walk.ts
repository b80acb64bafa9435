import { Worker } from "node:worker_threads";

import { BuilderError } from "@slipway/core";

import type { FileFilter } from "./file-source.ts";
import { scanDirectory } from "./scan-directory.ts";
import { localWalk, type Walk, type WalkBatch } from "./walk.ts";

/** What the thread is asked to do. */
export interface WalkTask {
  readonly root: string;
  readonly filter: FileFilter;
}

/** What the thread answers. */
export type WalkMessage =
  | { readonly batch: WalkBatch }
  | { readonly end: true; readonly digest: string }
  | { readonly refused: { readonly code: string; readonly message: string; readonly details: unknown } };

/** A walk that another thread makes. It does not keep the process alive. */
export class WorkerWalk implements Walk {
  readonly #worker: Worker;
  readonly #batches: (WalkBatch | undefined)[] = [];
  readonly #task: WalkTask;
  /** The walk in this thread, where no other could be started: a bundler may have left its file behind. */
  #instead: Walk | undefined;
  #begun = false;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;
  readonly #digest = Promise.withResolvers<string | undefined>();

  constructor(task: WalkTask) {
    this.#task = task;
    const isSource = import.meta.url.endsWith(".ts");
    const script = new URL(isSource ? "./walk-worker.ts" : "./walk-worker.js", import.meta.url);
    // What the process was started with (loaders, inspectors) is not for this thread.
    const execArgv = isSource ? ["--conditions=@slipway/source"] : [];
    // Every entry leaves some hundred bytes behind: with the usual space for the young they would be collected every few thousand.
    const resourceLimits = { maxYoungGenerationSizeMb: 96 };
    this.#worker = new Worker(script, {
      workerData: task,
      execArgv,
      resourceLimits,
      env: {},
      stdout: true,
      stderr: true,
    });
    this.#worker.unref();
    this.#worker.on("message", (message: WalkMessage) => this.#receive(message));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => {
      if (!this.#ended) this.#fail(new Error("The thread that walks through the context has ended."));
    });
  }

  next(): WalkBatch | "later" | undefined {
    if (this.#instead !== undefined) return this.#instead.next();
    if (this.#batches.length > 0) {
      this.#begun = true;
      return this.#batches.shift();
    }
    if (this.#failure === undefined) return "later";
    if (this.#begun || BuilderError.isInstance(this.#failure)) throw this.#failure as Error;
    this.#instead = localWalk(scanDirectory(this.#task.root, this.#task.filter));
    return this.#instead.next();
  }

  ready(): Promise<void> {
    if (this.#batches.length > 0 || this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** Of the whole walk; undefined if it fails. */
  digest(): Promise<string | undefined> {
    return this.#digest.promise;
  }

  close(): void {
    void this.#worker.terminate();
  }

  #receive(message: WalkMessage): void {
    if ("refused" in message) {
      const { code, message: text, details } = message.refused;
      this.#fail(new BuilderError({ code, message: text, details } as ConstructorParameters<typeof BuilderError>[0]));
      return;
    }
    if ("end" in message) {
      this.#ended = true;
      this.#digest.resolve(message.digest);
    }
    this.#batches.push("batch" in message ? message.batch : undefined);
    this.#wake?.();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#digest.resolve(undefined);
    this.#wake?.();
  }
}
