import { PassThrough } from "node:stream";

import { describe, expect, it } from "vitest";

import { PreparedDial, type Dial } from "./prepared-dial.ts";

const { signal } = new AbortController();
const registry = new URL("http://registry.svc:5000/v2/");

function counting(open: () => PassThrough = () => new PassThrough()) {
  const opened: PassThrough[] = [];
  const dial: Dial = () => {
    const stream = open();
    opened.push(stream);
    return Promise.resolve(stream);
  };
  return { opened, dial };
}

describe("PreparedDial", () => {
  it("hands a prepared connection out once", async () => {
    const { opened, dial } = counting();
    using prepared = new PreparedDial(dial);
    prepared.prepare(signal, registry);
    expect(await prepared.dial(signal, registry)).toBe(opened[0]);
    expect(await prepared.dial(signal, registry)).toBe(opened[1]);
  });

  it("dials anew for another host", async () => {
    const { opened, dial } = counting();
    using prepared = new PreparedDial(dial);
    prepared.prepare(signal, registry);
    expect(await prepared.dial(signal, new URL("http://tokens.svc/"))).toBe(opened[1]);
  });

  it("dials anew when the prepared connection broke while it waited", async () => {
    const { opened, dial } = counting();
    using prepared = new PreparedDial(dial);
    prepared.prepare(signal, registry);
    await Promise.resolve();
    opened[0]?.destroy(new Error("cut"));
    expect(await prepared.dial(signal, registry)).toBe(opened[1]);
  });

  it("dials anew when the connection could not be prepared", async () => {
    let failures = 1;
    const stream = new PassThrough();
    using prepared = new PreparedDial(() =>
      failures-- > 0 ? Promise.reject(new Error("no route")) : Promise.resolve(stream),
    );
    prepared.prepare(signal, registry);
    expect(await prepared.dial(signal, registry)).toBe(stream);
  });

  it("closes what was prepared in vain", async () => {
    const { opened, dial } = counting();
    const prepared = new PreparedDial(dial);
    prepared.prepare(signal, registry);
    prepared[Symbol.dispose]();
    await expect.poll(() => opened[0]?.destroyed).toBe(true);
  });
});
