import { EventEmitter } from "node:events";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { startKeepAlive } from "./keep-alive.ts";

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  answers = true;
  pings = 0;
  ping(data: string): void {
    this.pings += 1;
    if (this.answers) this.emit("pong", Buffer.from(data));
  }
}

const options = { pingIntervalMs: 25_000, deadAfterMs: 80_000 };
const minutesMs = 60_000;

beforeEach(() => vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] }));
afterEach(() => vi.useRealTimers());

function start(isPaused = false) {
  const socket = new FakeSocket();
  const silences: boolean[] = [];
  const keepAlive = startKeepAlive(
    socket,
    options,
    () => isPaused,
    (proven) => silences.push(proven),
  );
  return { socket, silences, keepAlive };
}

test("keeps a quiet connection busy, and content while it answers", () => {
  const { socket, silences } = start();
  vi.advanceTimersByTime(10 * minutesMs);
  expect(socket.pings).toBe(24);
  expect(silences).toEqual([]);
});

test("takes a connection that answers nothing any more for dead", () => {
  const { socket, silences, keepAlive } = start();
  keepAlive.sent();
  vi.advanceTimersByTime(minutesMs);
  socket.answers = false;
  vi.advanceTimersByTime(minutesMs);
  expect(silences).toEqual([]);
  vi.advanceTimersByTime(minutesMs);
  expect(silences).toContain(true);
});

test("does not, while stdin may hold the answer back: then it only suspects", () => {
  const { socket, silences, keepAlive } = start();
  socket.answers = false;
  keepAlive.sent();
  vi.advanceTimersByTime(3 * minutesMs);
  expect(silences).toContain(false);
  expect(silences).not.toContain(true);
});

test("does not while we do not read ourselves", () => {
  const { socket, silences } = start(true);
  socket.answers = false;
  vi.advanceTimersByTime(10 * minutesMs);
  expect(silences).toEqual([]);
});

test("stops", () => {
  const { socket, keepAlive } = start();
  keepAlive.stop();
  vi.advanceTimersByTime(minutesMs);
  expect(socket.pings).toBe(0);
});
