import { grpcCode } from "../grpc/grpc-status.ts";
import type { SessionHandler } from "../session/session-server.ts";
import type { ReceivedWalk } from "../solve/received-files.ts";
import type { BuildSession, InMemoryFiles, TransferProgress } from "../solve/solve-request.ts";
import { DiffCopySender } from "./diff-copy-sender.ts";
import { DirectorySource } from "./directory-source.ts";
import type { FileSource } from "./file-source.ts";
import { MemorySource } from "./memory-source.ts";
import { PreparedDirectory } from "./prepared-directory.ts";
import { ReceivedWalks } from "./received-walks.ts";
import { TransferMeter } from "./transfer-meter.ts";
import { WalkDigest } from "./walk-digest.ts";

/** Shows local directories to the daemon under their names. */
export class FileSyncService {
  /** The path of its only method. */
  static readonly method = "/moby.filesync.v1.FileSync/DiffCopy";
  readonly #sources: ReadonlyMap<string, FileSource>;
  readonly #allowed: Promise<void> | undefined;
  readonly #onTransfer: (progress: TransferProgress) => void;
  readonly #meters: TransferMeter[] = [];
  readonly #received = new ReceivedWalks();

  constructor(
    { localDirectories, allowed }: Pick<BuildSession, "localDirectories" | "allowed">,
    onTransfer: (progress: TransferProgress) => void,
  ) {
    const sources = Object.entries(localDirectories).map(([name, files]) => [name, sourceOf(files)] as const);
    this.#sources = new Map(sources);
    this.#allowed = allowed;
    // It may reject before the daemon asks for a file; then it is told.
    allowed?.catch(() => undefined);
    this.#onTransfer = onTransfer;
  }

  /** The names of the directories. */
  get names(): readonly string[] {
    return [...this.#sources.keys()];
  }

  /** How far each walk has come. */
  get transfers(): TransferProgress[] {
    return this.#meters.map((meter) => meter.snapshot());
  }

  /** Whether walks of an earlier build would show the same now: then the daemon may use what it received in them. */
  recognise(earlier: readonly ReceivedWalk[]): Promise<boolean> {
    return this.#received.recognise(earlier, this.#sources);
  }

  /** The walks that have shown the daemon what it has; undefined when that is not certain. */
  get received(): readonly ReceivedWalk[] | undefined {
    return this.#received.all;
  }

  /** Reports what the daemon already had as walks that sent nothing. */
  reportUnasked(): void {
    for (const { name, filter, files, totalBytes } of this.#received.unasked) {
      const walk = { id: this.#meters.length, name, paths: [...filter.followPaths, ...filter.include] };
      const meter = Object.assign(new TransferMeter(walk, this.#onTransfer), { files, totalBytes });
      this.#meters.push(meter);
      meter.finish();
    }
  }

  /** Serves one walk. */
  readonly handle: SessionHandler = async (call) => {
    const name = call.metadata.first("dir-name") ?? "";
    const source = this.#sources.get(name);
    if (!source) {
      call.end(grpcCode.notFound, `no access allowed to dir "${name}"`);
      return;
    }
    await this.#allowed;
    const filter = {
      include: call.metadata.list("include-patterns"),
      exclude: call.metadata.list("exclude-patterns"),
      followPaths: call.metadata.list("followpaths"),
    };
    const walk = { id: this.#meters.length, name, paths: [...filter.followPaths, ...filter.include] };
    const meter = new TransferMeter(walk, this.#onTransfer);
    this.#meters.push(meter);
    const digest = new WalkDigest({ name, filter });
    try {
      await new DiffCopySender(call, source, { meter, digest }).send(filter, () => {
        const { files, totalBytes } = meter;
        this.#received.complete({ name, filter, digest: digest.finish(), files, totalBytes });
      });
    } catch (error) {
      this.#received.incomplete();
      throw error;
    }
    call.end();
  };
}

function sourceOf(files: BuildSession["localDirectories"][string]): FileSource {
  if (files instanceof PreparedDirectory) return files;
  return typeof files === "string" ? new DirectorySource(files) : new MemorySource(files as InMemoryFiles);
}
