const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/**
 * Bytes in decimal units with one digit behind the point: `999 B`, `1.2 kB`, `6.0 MB`.
 *
 * @param bytes - A count of bytes; what is not a positive number reads `0 B`.
 */
export function formatBytes(bytes: number): string {
  let value = bytes > 0 ? Math.round(bytes) : 0;
  if (value < 1000) return `${value} B`;
  let unit = 0;
  // 999,950 bytes would round to 1000.0 kB.
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit] ?? ""}`;
}
