/** The type bits of `st_mode`, as POSIX systems and Node have them. */
export const fileType = {
  mask: 0o170000,
  regular: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  characterDevice: 0o020000,
  blockDevice: 0o060000,
  namedPipe: 0o010000,
  socket: 0o140000,
} as const;

const goTypeBits: Readonly<Record<number, number>> = {
  [fileType.regular]: 0,
  [fileType.directory]: 2 ** 31,
  [fileType.symlink]: 2 ** 27,
  [fileType.characterDevice]: 2 ** 26 + 2 ** 21,
  [fileType.blockDevice]: 2 ** 26,
  [fileType.namedPipe]: 2 ** 25,
};
const goSetuid = 2 ** 23;
const goSetgid = 2 ** 22;
const goSticky = 2 ** 20;

/** `st_mode` as Go's `os.FileMode`, the form in which file modes travel. Sums, because bitwise operators are signed. */
export function goFileMode(mode: number): number {
  return (
    (mode & 0o777) +
    (goTypeBits[mode & fileType.mask] ?? 0) +
    (mode & 0o4000 ? goSetuid : 0) +
    (mode & 0o2000 ? goSetgid : 0) +
    (mode & 0o1000 ? goSticky : 0)
  );
}

const goTypeMask = Object.values(goTypeBits).reduce((mask, bits) => mask | bits, 0);

/** Whether a mode in Go's form is that of a regular file. */
export function isGoRegular(mode: number): boolean {
  return (mode & goTypeMask) === 0;
}
