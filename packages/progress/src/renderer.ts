import type { BuildEvent } from "@slipway/core";

import { PlainRenderer } from "./plain-renderer.ts";
import { chooseColors, chooseMode, type Environment, type RenderMode, type RenderStream } from "./render-stream.ts";
import { TerminalRenderer } from "./terminal-renderer.ts";

/** How {@link createRenderer} shows builds. */
export interface RendererOptions {
  readonly stream: RenderStream;
  /** @defaultValue `"auto"` */
  readonly mode?: RenderMode | undefined;
  /** Only terminal mode has colours. @defaultValue `true`, unless `NO_COLOR` is set */
  readonly colors?: boolean | undefined;
  /** Where `CI`, `TERM` and `NO_COLOR` are looked up. @defaultValue `process.env` */
  readonly env?: Environment | undefined;
  /** The clock, in milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

/** Shows builds while they run. */
export interface Renderer {
  /** Takes an event of any build, in any order; never throws because of one. */
  render(event: BuildEvent): void;
  /** Writes what is left, leaves the last frame standing and stops. Later events are ignored. */
  end(): void;
}

/**
 * Shows events on a stream: as a live display on a terminal, else as plain lines. One renderer can show any number of builds at once.
 *
 * A live display redraws the lower end of the terminal at most ten times a second. Do not write to the same terminal between the
 * first event and {@link Renderer.end}, or the end of the last build.
 */
export function createRenderer(options: RendererOptions): Renderer {
  const { stream, mode = "auto", env = process.env, now = Date.now, colors = chooseColors(env) } = options;
  if (chooseMode(mode, stream, env) === "plain") return new PlainRenderer(stream, now);
  return new TerminalRenderer({ stream, colors, now });
}
