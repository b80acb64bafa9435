import { inspect } from "node:util";

import type { BuildEvent } from "slipway";
import { createRenderer } from "slipway/progress";

/** What a value looks like wherever a program may print, send or store it. */
export function printedForms(value: unknown): string {
  const options = { depth: Infinity, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null };
  const forms = [
    () => inspect(value, options),
    () => String(value),
    () => JSON.stringify(value),
    () => inspect(structuredClone(value), options),
  ];
  return forms.map(textOrRefusal).join("\n");
}

/** What a build's events look like on a terminal, as plain text and as JSON. */
export function renderedForms(events: readonly BuildEvent[]): string {
  const parts: string[] = [];
  const write = (text: string): void => void parts.push(text);
  for (const mode of ["terminal", "plain"] as const) {
    const renderer = createRenderer({ mode, stream: { write, isTTY: mode === "terminal", columns: 2000, rows: 500 } });
    for (const event of events) renderer.render(event);
    renderer.end();
  }
  return [...parts, JSON.stringify(events)].join("\n");
}

/** A function cannot be cloned: what is printed then is the refusal. */
function textOrRefusal(form: () => string): string {
  try {
    return form();
  } catch (error) {
    return inspect(error);
  }
}
