import { descend, openDirectory, visit, type Found, type OpenDirectory } from "../scan-context.ts";
import { fileType, type FirstNames, type ScanEntry } from "../scan-entry.ts";
import { createScanFilter, type DirectoryState, type ScanFilter, type ScanOptions } from "../scan-filter.ts";
import { inScanOrder, stateOf, type ContextSnapshot, type SnapshotDifference } from "./context-snapshot.ts";

/** A folder as it was when it was read. */
interface Folder {
  readonly path: string;
  readonly absolutePath: string;
  readonly parent: Folder | undefined;
  readonly filterState: DirectoryState;
  /** Listed whatever it holds; else only with something that is. */
  readonly isKept: boolean;
  /** Tells it from another one of the same name, and from itself with other names in it. */
  identity: string;
  state: string;
  leaves: ReadonlySet<string>;
  folders: ReadonlyMap<string, Folder>;
  holdsSomething: boolean;
}

/** Hears of each folder before its names are read; `identity` differs if it may be another one than the last time. */
export type OnFolder = (absolutePath: string, identity: string) => void;

/**
 * The state of every path of a context, with the folders that they are in, so that only those need to be read again in which something has happened.
 * Equals what {@link scanContext} finds, as long as nothing has happened in the others.
 */
export class ContextTree {
  readonly #filter: ScanFilter;
  readonly #onFolder: OnFolder;
  readonly #firstNames: FirstNames = new Map();
  readonly #folders = new Map<string, Folder>();
  readonly #states = new Map<string, string>();
  /** What was there before folders were read again. */
  #before = new Map<string, string | undefined>();

  /** @throws what {@link scanContext} throws */
  constructor(root: string, options: ScanOptions, onFolder: OnFolder) {
    this.#filter = createScanFilter(root, options);
    this.#onFolder = onFolder;
    onFolder(root, "");
    const directory = openDirectory(root, "");
    const folder: Folder = {
      ...{ path: "", absolutePath: root, parent: undefined, filterState: directory.state, isKept: false },
      ...{ identity: "", state: "", leaves: new Set(), folders: new Map(), holdsSomething: false },
    };
    this.#folders.set(root, folder);
    this.#fill(folder, directory);
    this.#before = new Map();
  }

  /** Without order. */
  get states(): ContextSnapshot {
    return this.#states;
  }

  has(absolutePath: string): boolean {
    return this.#folders.has(absolutePath);
  }

  /**
   * Reads folders again.
   *
   * @returns what differs; undefined if that cannot be told, since a folder cannot be read, or a file has several names: a change by one of them is
   * no event where the others are
   */
  reread(absolutePaths: Iterable<string>): SnapshotDifference | undefined {
    if (this.#hasHardLinks()) return undefined;
    try {
      for (const absolutePath of absolutePaths) {
        const folder = this.#folders.get(absolutePath);
        if (folder !== undefined) this.#reread(folder);
      }
    } catch {
      // Whoever reads everything now learns why.
      return undefined;
    }
    if (this.#hasHardLinks()) return undefined;
    const before = [...this.#before].filter(([path, state]) => this.#states.get(path) !== state);
    this.#before = new Map();
    const paths = before.map(([path]) => path);
    return inScanOrder({
      changed: paths.filter((path) => this.#states.has(path)),
      removed: paths.filter((path) => !this.#states.has(path)),
    });
  }

  /** The states as they were when a difference was told last: folders may have been read again for nothing since. */
  statesBefore(): ContextSnapshot {
    const states = new Map(this.#states);
    for (const [path, state] of this.#before)
      if (state === undefined) states.delete(path);
      else states.set(path, state);
    return states;
  }

  #hasHardLinks(): boolean {
    return this.#firstNames.size > 0;
  }

  #reread(folder: Folder): void {
    const { absolutePath, path, filterState } = folder;
    this.#fill(folder, openDirectory(absolutePath, path === "" ? "" : `${path}/`, filterState));
    for (let above = folder.parent; above !== undefined; above = above.parent) this.#list(above);
  }

  /** Takes over what a folder holds now, and lists all that is new in it. */
  #fill(folder: Folder, directory: OpenDirectory): void {
    const leaves = new Map<string, string>();
    const found: Found[] = [];
    for (const name of directory.names) {
      const next = visit(directory, name, this.#filter, this.#firstNames);
      if (next === undefined) continue;
      if (isDirectory(next.entry)) found.push(next);
      else leaves.set(next.entry.path, stateOf(next.entry, false));
    }
    const known = folder.folders;
    const paths = new Set(found.map(({ entry }) => entry.path));
    for (const path of folder.leaves) if (!leaves.has(path)) this.#set(path, undefined);
    for (const below of known.values()) if (!paths.has(below.path)) this.#drop(below);
    for (const [path, state] of leaves) this.#set(path, state);
    folder.leaves = new Set(leaves.keys());
    folder.folders = new Map(
      found.map((next) => [next.entry.path, this.#below(folder, directory, next, known.get(next.entry.path))]),
    );
    this.#list(folder);
  }

  #below(parent: Folder, directory: OpenDirectory, found: Found, known: Folder | undefined): Folder {
    const { entry, absolutePath, verdict } = found;
    const { path } = entry;
    const identity = identityOf(entry);
    const folder: Folder = known ?? {
      ...{ path, absolutePath, parent, filterState: this.#filter.enter(path, directory.state) },
      ...{ isKept: verdict === "keep", identity: "", state: "", holdsSomething: false },
      ...{ leaves: new Set(), folders: new Map() },
    };
    folder.state = stateOf(entry, true);
    this.#folders.set(absolutePath, folder);
    if (folder.identity === identity) return folder;
    folder.identity = identity;
    this.#onFolder(absolutePath, identity);
    this.#fill(folder, descend(directory, found, this.#filter) ?? { ...directory, names: [] });
    return folder;
  }

  /** Lists a folder, or no longer. */
  #list(folder: Folder): void {
    const { path, isKept, leaves, folders, state } = folder;
    folder.holdsSomething =
      leaves.size > 0 || [...folders.values()].some((below) => below.isKept || below.holdsSomething);
    if (path !== "") this.#set(path, isKept || folder.holdsSomething ? state : undefined);
  }

  #drop(folder: Folder): void {
    this.#folders.delete(folder.absolutePath);
    this.#set(folder.path, undefined);
    for (const path of folder.leaves) this.#set(path, undefined);
    for (const below of folder.folders.values()) this.#drop(below);
  }

  #set(path: string, state: string | undefined): void {
    const was = this.#states.get(path);
    if (was === state) return;
    if (!this.#before.has(path)) this.#before.set(path, was);
    if (state === undefined) this.#states.delete(path);
    else this.#states.set(path, state);
  }
}

function isDirectory({ mode }: ScanEntry): boolean {
  return (mode & fileType.mask) === fileType.directory;
}

/** The time of its last change is that of the names in it too; a folder that was made anew may have the number of the old one. */
function identityOf({ inode }: ScanEntry): string {
  return inode === undefined ? "" : `${inode.device}:${inode.number}:${inode.ctimeNs}`;
}
