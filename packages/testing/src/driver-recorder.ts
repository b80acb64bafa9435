import { wrapDriver } from "@slipway/core";
import type { BuilderDriver, DriverCall, DriverEvent } from "@slipway/core";

/** What a driver was asked and what it reported, seen from between core and the driver. */
export class DriverRecorder {
  /** Calls of `build`, `submit` and `attach`. */
  calls = 0;
  running = 0;
  mostRunning = 0;
  /** What was reported after the call had settled; core drops it. */
  readonly lateEvents: DriverEvent[] = [];
  readonly events: DriverEvent[] = [];

  /** The driver with every call of its builds recorded. */
  watch<Driver extends BuilderDriver>(driver: Driver): Driver {
    return wrapDriver(driver, (next) => ({
      build: (request, call) => this.#record(call, (watched) => next.build(request, watched)),
      ...(next.submit && {
        submit: (request, call) => this.#record(call, async (watched) => next.submit?.(request, watched)),
      }),
      ...(next.attach && {
        attach: (id, call) => this.#record(call, async (watched) => (await next.attach?.(id, watched)) ?? {}),
      }),
    }));
  }

  async #record<Result>(call: DriverCall, work: (call: DriverCall) => Promise<Result>): Promise<Result> {
    let settled = false;
    const emit = (event: DriverEvent) => {
      (settled ? this.lateEvents : this.events).push(event);
      call.emit(event);
    };
    this.calls += 1;
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      return await work({ ...call, emit });
    } finally {
      settled = true;
      this.running -= 1;
    }
  }
}
