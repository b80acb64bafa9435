import { grpcCode } from "../grpc/grpc-status.ts";
import type { SessionHandler } from "../session/session-server.ts";
import type { BuildSession, InMemoryFiles, TransferProgress } from "../solve/solve-request.ts";
import { DiffCopySender } from "./diff-copy-sender.ts";
import { DirectorySource } from "./directory-source.ts";
import type { FileSource } from "./file-source.ts";
import { MemorySource } from "./memory-source.ts";
import { PreparedDirectory } from "./prepared-directory.ts";
import { TransferMeter } from "./transfer-meter.ts";

/** Shows local directories to the daemon under their names. */
export class FileSyncService {
  /** The path of its only method. */
  static readonly method = "/moby.filesync.v1.FileSync/DiffCopy";
  readonly #sources: ReadonlyMap<string, FileSource>;
  readonly #allowed: Promise<void> | undefined;
  readonly #onTransfer: (progress: TransferProgress) => void;
  readonly #meters: TransferMeter[] = [];

  constructor(
    { localDirectories, allowed }: Pick<BuildSession, "localDirectories" | "allowed">,
    onTransfer: (progress: TransferProgress) => void,
  ) {
    const sources = Object.entries(localDirectories).map(([name, files]) => [name, sourceOf(files)] as const);
    this.#sources = new Map(sources);
    this.#allowed = allowed;
    this.#onTransfer = onTransfer;
  }

  /** How far each walk has come. */
  get transfers(): TransferProgress[] {
    return this.#meters.map((meter) => meter.snapshot());
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
    const followPaths = call.metadata.list("followpaths");
    const include = call.metadata.list("include-patterns");
    const walk = { id: this.#meters.length, name, paths: [...followPaths, ...include] };
    const meter = new TransferMeter(walk, this.#onTransfer);
    this.#meters.push(meter);
    await new DiffCopySender(call, source, meter).send({
      include,
      exclude: call.metadata.list("exclude-patterns"),
      followPaths,
    });
    call.end();
  };
}

function sourceOf(files: BuildSession["localDirectories"][string]): FileSource {
  if (files instanceof PreparedDirectory) return files;
  return typeof files === "string" ? new DirectorySource(files) : new MemorySource(files as InMemoryFiles);
}
