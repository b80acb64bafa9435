import type { BuilderDriver } from "./builder-driver.ts";

/** Replaces methods of a driver by ones that go on to the next. */
export type DriverMiddleware = (next: BuilderDriver) => Partial<BuilderDriver>;

/**
 * A driver with middleware around it. The first middleware is the outermost.
 *
 * A fallback from one driver to another is no middleware but a driver made of two.
 */
export function wrapDriver<Driver extends BuilderDriver>(
  driver: Driver,
  ...middleware: readonly DriverMiddleware[]
): Driver {
  return middleware.reduceRight<Driver>((next, wrap) => replaceMethods(next, wrap(next)), driver);
}

/** A proxy, because a driver may be an instance of a class with private fields: what is not replaced runs on the instance itself. */
function replaceMethods<Driver extends BuilderDriver>(driver: Driver, replaced: Partial<BuilderDriver>): Driver {
  return new Proxy(driver, {
    has: (target, key) => Reflect.has(replaced, key) || Reflect.has(target, key),
    get(target, key) {
      if (Reflect.has(replaced, key)) return Reflect.get(replaced, key) as unknown;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
