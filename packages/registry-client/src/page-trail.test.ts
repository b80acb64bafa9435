import { expect, it } from "vitest";

import { createPageTrail } from "./page-trail.ts";

const start = "https://registry.example.com/v2/app/tags/list";

/** Follows pages with these names until there are no more; each leads to another one. */
function follow(pages: Iterable<readonly string[]>): number {
  const trail = createPageTrail("registry.example.com", "list the tags");
  let url: URL | undefined = new URL(start);
  let count = 0;
  for (const names of pages) {
    const headers = { get: () => `</v2/app/tags/list?last=${count}>; rel="next"` };
    url = trail.next({ headers }, url ?? new URL(start), names);
    count++;
  }
  return count;
}

function* numbered(count: number): Generator<readonly string[]> {
  for (let page = 0; page < count; page++) yield [`tag-${page}`];
}

const empty = (count: number): readonly string[][] => Array.from({ length: count }, () => []);
const same = (count: number): readonly string[][] => Array.from({ length: count }, () => ["a", "b"]);

it("some pages with nothing on them are followed to what comes behind", () => {
  expect(follow([...empty(99), ["a"], ...empty(99), ["b"]])).toBe(200);
});

it.each([
  ["empty pages", empty(100), "bring nothing new"],
  ["one page again and again", same(101), "bring nothing new"],
  ["ever new names", numbered(10_000), "more than 10000 pages"],
])("%s without an end are refused", (_, pages, reason) => {
  expect(() => follow(pages)).toThrow(
    expect.objectContaining({ code: "REGISTRY_REFUSED", message: expect.stringContaining(reason) as string }),
  );
});

it("a long list is followed", () => {
  expect(follow(numbered(9_999))).toBe(9_999);
});
