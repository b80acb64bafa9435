/** Diagnostics; progress goes through events. `console` fits. */
export type Logger = Readonly<Record<"debug" | "info" | "warn" | "error", (message: string, fields?: object) => void>>;
