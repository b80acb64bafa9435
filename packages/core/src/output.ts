import * as z from "zod/mini";

/** Takes an archive while it arrives: an engine's `load`, an upload, a hash. */
export type ArchiveSink = (archive: AsyncIterable<Uint8Array>, call: { readonly signal: AbortSignal }) => Promise<void>;

/** What becomes of the result of a build. */
export type Output<Destination = ArchiveSink> =
  /** To the registry of every tag; `byDigest` leaves the tags where they are. */
  | { type: "push"; byDigest?: boolean }
  | { type: "oci" | "docker"; destination: Destination }
  /** The files of the last stage. */
  | { type: "tar"; destination: Destination }
  /** The same in a folder, which is made; what is there already and has other names stays. */
  | { type: "local"; directory: string }
  /** Nothing but what `cacheTo` asks for. */
  | { type: "cache-only" };

const text = z.string().check(z.minLength(1));

const destination = z.pipe(
  z.union([text, z.custom<ArchiveSink>((value) => typeof value === "function")], {
    error: "Must be the path of a file, or a function that takes the archive",
  }),
  z.transform((value) => (typeof value === "string" ? fileSink(value) : value)),
);

/** A string is a file. */
export const outputSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("push"), byDigest: z.optional(z.boolean()) }),
  z.strictObject({ type: z.enum(["oci", "docker"]), destination }),
  z.strictObject({ type: z.literal("tar"), destination }),
  z.strictObject({ type: z.literal("local"), directory: text }),
  z.strictObject({ type: z.literal("cache-only") }),
]) as unknown as z.ZodMiniType<Output, Output<string | ArchiveSink>>;

const fileSinks = new WeakSet<ArchiveSink>();

function fileSink(path: string): ArchiveSink {
  const sink: ArchiveSink = async (archive, { signal }) => {
    // Streams take milliseconds to load, and few builds write a file.
    const [{ createWriteStream }, { pipeline }] = await Promise.all([
      import("node:fs"),
      import("node:stream/promises"),
    ]);
    await pipeline(archive, createWriteStream(path), { signal });
  };
  fileSinks.add(sink);
  return sink;
}

/** Whether a sink writes a file, and so can be given an archive again. */
export function isFileSink(sink: ArchiveSink): boolean {
  return fileSinks.has(sink);
}
