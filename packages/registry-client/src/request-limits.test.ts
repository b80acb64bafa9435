import { getEventListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import { expect, it } from "vitest";

import { openGuard } from "./address-guard.ts";
import { sendRequest } from "./registry-requests.ts";
import type { SentRequest } from "./registry-requests.ts";
import type { RegistryResponse, RegistryTransport } from "./registry-transport.ts";
import { createConcurrencyLimit } from "./request-limits.ts";

it("hands a place over, so that nobody who comes just then takes another one", async () => {
  const limit = createConcurrencyLimit(1);
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
  };
  let ended = Promise.resolve();
  const first = limit.run(() => (ended = work()));
  const waiting = limit.run(work);
  // Comes between the end of the first and the start of the one that waits.
  const late = ended.then(() => limit.run(work));
  await Promise.all([first, waiting, late]);
  expect(most).toBe(1);
});

it("lets go of a place of what has failed", async () => {
  const limit = createConcurrencyLimit(1);
  await expect(limit.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(limit.run(() => Promise.resolve("yes"))).resolves.toBe("yes");
});

it("lets go of who leaves the line, and of no place with it", async () => {
  const limit = createConcurrencyLimit(1);
  const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
  const begun: string[] = [];
  const begin = (name: string) => async () => void begun.push(name);
  const first = limit.run(() => held);
  const [leaving, staying] = [new AbortController(), new AbortController()];
  const left = limit.run(begin("left"), leaving.signal);
  const stayed = limit.run(begin("stayed"), staying.signal);
  const reason = new Error("the test leaves");
  leaving.abort(reason);
  await expect(left).rejects.toBe(reason);
  letGo(undefined);
  await Promise.all([first, stayed]);
  expect(begun).toEqual(["stayed"]);
  expect(getEventListeners(staying.signal, "abort")).toHaveLength(0);
  await expect(limit.run(begin("never"), leaving.signal)).rejects.toBe(reason);
  await limit.run(begin("next"));
  expect(begun).toEqual(["stayed", "next"]);
});

it("does not take what has begun for something that leaves the line", async () => {
  const limit = createConcurrencyLimit(1);
  const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
  const controller = new AbortController();
  const first = limit.run(() => held);
  const second = limit.run(async () => {
    controller.abort();
    return "done";
  }, controller.signal);
  letGo(undefined);
  await first;
  await expect(second).resolves.toBe("done");
  await expect(limit.run(async () => "free")).resolves.toBe("free");
});

/** Requests that share one place, over a transport that answers when it is told to. */
function shareOnePlace(answerTimeoutMs: number) {
  const answers: ((status?: number) => void)[] = [];
  const transport: RegistryTransport = ({ signal }) =>
    new Promise((resolve, reject) => {
      const respond = (status = 404): void => {
        resolve({ status, ok: false, headers: { get: () => null }, body: null });
      };
      answers.push(respond);
      signal.addEventListener("abort", () => {
        reject(new Error("aborted"));
      });
    });
  const limit = createConcurrencyLimit(1);
  const url = new URL("https://registry.example.com/v2/");
  const sender = { transport, url, guard: openGuard, limit, retryDelaysMs: [1], answerTimeoutMs };
  const subject = { registry: "registry.example.com", purpose: "look for a blob", tried: [] };
  const send = (more: Partial<SentRequest> = {}): Promise<RegistryResponse> => {
    return sendRequest(sender, { method: "HEAD", url, headers: {}, ...neverAborted, ...more }, subject);
  };
  return { send, answers };
}

const neverAborted = { signal: new AbortController().signal };

it("keeps the time in line out of what an answer may take, also of a request that is sent again", async () => {
  const { send, answers } = shareOnePlace(500);
  const first = send({ answerTime: { leftMs: 5_000 } });
  const answerTime = { leftMs: 500 };
  const second = send({ answerTime });
  const third = send({ answerTime: { leftMs: 5_000 } });
  await delay(600);
  answers[0]?.();
  await first;
  await expect.poll(() => answers.length).toBe(2);
  // It goes to the end of the line.
  answers[1]?.(503);
  await expect.poll(() => answers.length).toBe(3);
  await delay(600);
  answers[2]?.();
  await third;
  await expect.poll(() => answers.length).toBe(4);
  answers[3]?.();
  await expect(second).resolves.toMatchObject({ status: 404 });
  expect(answerTime.leftMs).toBeLessThan(500);
});

it("has a request time for all its repeats together, once it is sent", async () => {
  const { send, answers } = shareOnePlace(1_000);
  const answered = send();
  await expect.poll(() => answers.length).toBe(1);
  await delay(600);
  answers[0]?.(503);
  const startedMs = performance.now();
  await expect(answered).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  expect(performance.now() - startedMs).toBeLessThan(800);
});

it("tells a request in line at once that its caller has left", async () => {
  const { send, answers } = shareOnePlace(5_000);
  const first = send();
  const leaving = new AbortController();
  const second = send({ signal: leaving.signal });
  leaving.abort(new Error("the test leaves"));
  await expect(second).rejects.toMatchObject({ code: "ABORTED" });
  expect(answers).toHaveLength(1);
  answers[0]?.();
  await first;
});
