import type { DescMessage } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";

import * as content from "../__fixtures__/gen/content_pb.ts";
import * as control from "../__fixtures__/gen/control_pb.ts";
import * as gateway from "../__fixtures__/gen/gateway_pb.ts";
import * as session from "../__fixtures__/gen/session_pb.ts";
import * as status from "../__fixtures__/gen/status_pb.ts";
import * as messages from "../messages.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { messageType, scalar, type Field, type MessageInit, type MessageType } from "./message-type.ts";

const schemas: Record<string, DescMessage> = { RpcStatus: status.StatusSchema };
for (const file of [content, gateway, session, control]) {
  for (const [name, schema] of Object.entries<unknown>({ ...file }))
    if (name.endsWith("Schema")) schemas[name.replace(/Schema$/, "")] = schema as DescMessage;
}

const ours = Object.entries<unknown>({ ...messages }).filter(
  (entry): entry is [string, MessageType] => typeof entry[1] === "object" && entry[0] in schemas,
);

/** A pseudo-random sequence, so that a failure can be seen again (Mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const texts = ["", "a", "grün", "sha256:0123", "x".repeat(300), "\u{1f6a2}\0"];
const int32s = [0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)];
const int64s = [0n, 1n, -1n, 127n, 128n, 1n << 40n, (1n << 63n) - 1n, -(1n << 63n)];

function randomMessage({ fields }: MessageType, random: () => number, depth = 0): Record<string, unknown> {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
  const several = <Value>(make: () => Value): Value[] => Array.from({ length: Math.floor(random() * 4) }, make);
  const scalarOf = (type: Extract<Field, { kind: "scalar" }>["type"]): unknown => {
    if (type === "string") return pick(texts);
    if (type === "bytes") return new Uint8Array(Buffer.from(pick(texts)));
    if (type === "bool") return random() < 0.5;
    return type === "int32" ? pick(int32s) : pick(int64s);
  };
  const valueOf = (field: Field): unknown => {
    if (field.kind === "scalar") return scalarOf(field.type);
    if (field.kind === "scalars") return several(() => scalarOf(field.type));
    if (field.kind === "map") return Object.fromEntries(several(() => [pick(texts), pick(texts)] as const));
    if (field.kind === "messages") return several(() => randomMessage(field.message, random, depth + 1));
    return random() < 0.5 ? undefined : randomMessage(field.message, random, depth + 1);
  };
  const present = Object.entries(fields).filter(() => random() < 0.8);
  return Object.fromEntries(present.map(([name, field]) => [name, valueOf(field)]));
}

/** Without what protobuf-es adds to a message. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const known = Object.entries(value).filter(([name, item]) => !name.startsWith("$") && item !== undefined);
  return Object.fromEntries(known.map(([name, item]) => [name, plain(item)]));
}

describe("against protobuf-es", () => {
  test("every message is compared", () => {
    const exported = Object.values<unknown>({ ...messages }).filter((value) => typeof value === "object");
    // Timestamp and Any are protobuf's own; they are compared within the others.
    expect(ours).toHaveLength(exported.length - 2);
  });

  test.each(ours)("%s has the same bytes, and the same fields", (name, type) => {
    const schema = schemas[name];
    if (schema === undefined) throw new Error(`no schema of ${name}`);
    const random = randomNumbers(1);
    for (let round = 0; round < 200; round++) {
      const values = randomMessage(type, random);
      const bytes = toBinary(schema, create(schema, values));
      expect(Buffer.from(encode(type, values as MessageInit<MessageType>)).toString("hex")).toBe(
        Buffer.from(bytes).toString("hex"),
      );
      expect(plain(decode(type, bytes))).toEqual(plain(fromBinary(schema, bytes)));
    }
  });
});

const small = messageType({ text: scalar("string", 1), flag: scalar("bool", 3) });
const full = { text: scalar("string", 1), number: scalar("int64", 2), flag: scalar("bool", 3) };
const large = messageType({ ...full, more: scalar("bytes", 1000) });

test("fields that are not known are skipped, and so are those of another kind", () => {
  const bytes = encode(large, { text: "a", number: 1n << 60n, flag: true, more: Buffer.from("b") });
  expect(decode(small, bytes)).toEqual({ text: "a", flag: true });
  expect(decode(messageType({ text: scalar("int32", 1), flag: scalar("string", 3) }), bytes)).toEqual({
    text: 0,
    flag: "",
  });
  const fixed = Buffer.from([(5 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8, (6 << 3) | 5, 1, 2, 3, 4]);
  expect(decode(small, Buffer.concat([fixed, bytes]))).toEqual({ text: "a", flag: true });
});

test.each([
  ["ends within a text", [0x0a, 5, 0x61]],
  ["ends within a number", [0x18, 0x80]],
  ["ends behind a tag", [0x18]],
  ["has a number without an end", [0x18, ...Array.from({ length: 11 }, () => 0x80), 0]],
  ["has a group", [0x0b]],
])("a message that %s is refused", (_what, bytes) => {
  expect(() => decode(small, Uint8Array.from(bytes))).toThrow("malformed message");
});
