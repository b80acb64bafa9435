/**
 * A duration as people read it: `0.3s`, `12.0s`, `1m 05s`, `2h 03m`.
 *
 * @param milliseconds - What is not a positive number reads `0.0s`.
 */
export function formatDuration(milliseconds: number): string {
  const tenths = milliseconds > 0 ? Math.round(milliseconds / 100) : 0;
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${twoDigits(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
