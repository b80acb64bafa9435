import type { Field, Message, MessageType } from "./message-type.ts";
import { WireReader, wireType } from "./wire-reader.ts";

/** A message from its bytes; byte fields are views of them. Throws if they are none. */
export function decode<Type extends MessageType>(type: Type, bytes: Uint8Array): Message<Type> {
  return readMessage(type, bytes) as Message<Type>;
}

type Values = Record<string, unknown>;

function readMessage(type: MessageType, bytes: Uint8Array): Values {
  const reader = new WireReader(bytes);
  const values: Values = {};
  for (const [name, field] of Object.entries(type.fields)) values[name] = defaultOf(field);
  while (!reader.isAtEnd) {
    const tag = reader.uint32();
    const known = type.byNumber.get(tag >>> 3);
    if (known === undefined || (tag & 7) !== wireTypeOf(known[1])) reader.skip(tag & 7);
    else readField(reader, values, ...known);
  }
  return values;
}

function wireTypeOf(field: Field): number {
  const isNumber = field.kind === "scalar" && field.type !== "string" && field.type !== "bytes";
  return isNumber ? wireType.varint : wireType.bytes;
}

function defaultOf(field: Field): unknown {
  if (field.kind === "map") return {};
  if (field.kind === "message") return undefined;
  return field.kind === "scalar" ? scalarDefault(field.type) : [];
}

function scalarDefault(type: Extract<Field, { kind: "scalar" }>["type"]): unknown {
  switch (type) {
    case "string":
      return "";
    case "bytes":
      return new Uint8Array();
    case "bool":
      return false;
    case "int32":
      return 0;
    case "int64":
      return 0n;
  }
}

function readField(reader: WireReader, values: Values, name: string, field: Field): void {
  switch (field.kind) {
    case "scalar":
      values[name] = readScalar(reader, field.type);
      return;
    case "scalars":
      (values[name] as unknown[]).push(readScalar(reader, field.type));
      return;
    case "message":
      values[name] = readMessage(field.message, reader.bytes());
      return;
    case "messages":
      (values[name] as unknown[]).push(readMessage(field.message, reader.bytes()));
      return;
    case "map":
      readEntry(new WireReader(reader.bytes()), values[name] as Record<string, string>);
  }
}

function readScalar(reader: WireReader, type: Extract<Field, { kind: "scalar" }>["type"]): unknown {
  switch (type) {
    case "string":
      return reader.string();
    case "bytes":
      return reader.bytes();
    case "bool":
      return reader.int64() !== 0n;
    case "int32":
      return reader.int32();
    case "int64":
      return reader.int64();
  }
}

function readEntry(reader: WireReader, map: Record<string, string>): void {
  let key = "";
  let value = "";
  while (!reader.isAtEnd) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | wireType.bytes)) key = reader.string();
    else if (tag === ((2 << 3) | wireType.bytes)) value = reader.string();
    else reader.skip(tag & 7);
  }
  map[key] = value;
}
