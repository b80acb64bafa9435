import { readFileSync } from "node:fs";

/** A process as it can be found again: a process id alone may have been given to another process since. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks between boot and the start of the process. */
  readonly startTicks: string;
}

/** Takes state and start time out of the text of /proc/PID/stat, whose second field may hold spaces and brackets. */
export function parseProcessStat(stat: string): { state: string; parentPid: number; startTicks: string } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", parentPid: Number(fields[1]), startTicks: fields[19] ?? "" };
}

function readStat(pid: number): { state: string; parentPid: number; startTicks: string } | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Identifies a process that runs now. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat && { pid, startTicks: stat.startTicks };
}

/** Whether that very process still runs. A zombie does not: it may linger until a slow parent collects it. */
export function isAlive(process: ProcessIdentity): boolean {
  const stat = readStat(process.pid);
  return stat !== undefined && stat.startTicks === process.startTicks && stat.state !== "Z" && stat.state !== "X";
}

/** Sends SIGKILL to that very process, if it still runs. */
export function killProcess(identity: ProcessIdentity): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, "SIGKILL");
  } catch {
    // It ended in between.
  }
}

/** The first child of a process, for instance pid 1 of the namespace that `unshare --fork` made. */
export function firstChild(pid: number): number | undefined {
  try {
    const first = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")[0];
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}
