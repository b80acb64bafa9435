import type { Field, MessageInit, MessageType } from "./message-type.ts";
import { wireType } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/** The bytes of a message. Fields come in the order in which they are declared; those with their default are left out. */
export function encode<Type extends MessageType>(type: Type, init: MessageInit<Type>): Uint8Array {
  const writer = new WireWriter();
  writeMessage(writer, type, init);
  return writer.written;
}

type Values = Readonly<Record<string, unknown>>;

function writeMessage(writer: WireWriter, { fields }: MessageType, values: Values): void {
  for (const [name, field] of Object.entries(fields)) {
    const value = values[name];
    if (value !== undefined) writeField(writer, field, value);
  }
}

function writeField(writer: WireWriter, field: Field, value: unknown): void {
  switch (field.kind) {
    case "scalar": {
      writeScalar(writer, field, value);
      return;
    }
    case "scalars":
      for (const item of value as readonly (string | Uint8Array)[]) writeText(writer, field.number, item);
      return;
    case "message": {
      writeNested(writer, field.number, (inner) => writeMessage(inner, field.message, value as Values));
      return;
    }
    case "messages":
      for (const item of value as readonly Values[])
        writeNested(writer, field.number, (inner) => writeMessage(inner, field.message, item));
      return;
    case "map":
      for (const entry of Object.entries(value as Readonly<Record<string, string>>))
        writeNested(writer, field.number, (inner) => entry.forEach((text, index) => writeText(inner, index + 1, text)));
  }
}

function writeScalar(writer: WireWriter, { number, type }: Extract<Field, { kind: "scalar" }>, value: unknown): void {
  if (type === "string" || type === "bytes") {
    if ((value as string | Uint8Array).length > 0) writeText(writer, number, value as string | Uint8Array);
    return;
  }
  const integer = BigInt(value as bigint | number | boolean);
  if (integer === 0n) return;
  writer.uint32((number << 3) | wireType.varint);
  writer.int64(integer);
}

function writeText(writer: WireWriter, number: number, value: string | Uint8Array): void {
  writer.uint32((number << 3) | wireType.bytes);
  if (typeof value === "string") writer.string(value);
  else writer.bytes(value);
}

/** Its length comes first, so it is written apart. */
function writeNested(writer: WireWriter, number: number, write: (inner: WireWriter) => void): void {
  const inner = new WireWriter();
  write(inner);
  writeText(writer, number, inner.written);
}
