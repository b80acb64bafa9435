import { expect, test } from "vitest";

import type { BuildEvent } from "./build-event.ts";
import { EventBuffer } from "./event-buffer.ts";

const log = (text: string): BuildEvent => ({
  type: "step-log",
  timeMs: 1,
  buildId: "b",
  step: "1",
  stream: "stdout",
  text,
});
const step = (name: string): BuildEvent => ({ type: "step-start", timeMs: 1, buildId: "b", step: name, name });

async function drain(buffer: EventBuffer): Promise<BuildEvent[]> {
  buffer.end();
  const events: BuildEvent[] = [];
  for (let event = await buffer.shift(); event !== undefined; event = await buffer.shift()) events.push(event);
  return events;
}

test("keeps everything in order while there is room", async () => {
  const buffer = new EventBuffer({ events: 10, logCharacters: 100 });
  const events = [step("1"), log("a"), log("b")];
  for (const event of events) buffer.push(event);
  expect(await drain(buffer)).toEqual(events);
});

test("drops the older logs beyond its bound, keeps everything else, and says so once", async () => {
  const buffer = new EventBuffer({ events: 100, logCharacters: 1e9 });
  for (let count = 0; count < 10_000; count++)
    buffer.push(count % 500 === 0 ? step(`s${count}`) : log(`line ${count}`));
  const events = await drain(buffer);
  expect(events.length).toBeLessThanOrEqual(102);
  expect(events.filter((event) => event.type === "step-start")).toHaveLength(20);
  expect(events.filter((event) => event.type === "warning")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ text: "line 9999" });
  const lines = events.flatMap((event) => (event.type === "step-log" ? [Number(event.text.slice(5))] : []));
  expect(lines).toEqual(lines.toSorted((first, second) => first - second));
});

test("is bounded by the size of the logs too", async () => {
  const buffer = new EventBuffer({ events: 1e6, logCharacters: 10_000 });
  for (let count = 0; count < 1_000; count++) buffer.push(log("x".repeat(1_000)));
  const events = await drain(buffer);
  expect(events.filter((event) => event.type === "step-log").length).toBeLessThanOrEqual(10);
});

test("a reader that waits gets the next event, and the end", async () => {
  const buffer = new EventBuffer();
  const first = buffer.shift();
  const second = buffer.shift();
  buffer.push(log("a"));
  expect(await first).toMatchObject({ text: "a" });
  buffer.end();
  expect(await second).toBeUndefined();
});

test("taking ten thousand events one by one leaves none and loses none", async () => {
  const buffer = new EventBuffer({ events: 1e6, logCharacters: 1e9 });
  for (let count = 0; count < 10_000; count++) buffer.push(log(String(count)));
  const texts = (await drain(buffer)).map((event) => (event.type === "step-log" ? event.text : ""));
  expect(texts).toEqual(Array.from({ length: 10_000 }, (_, count) => String(count)));
});
