interface ScalarTypes {
  string: string;
  bytes: Uint8Array;
  bool: boolean;
  int32: number;
  int64: bigint;
}
type ScalarName = keyof ScalarTypes;

/** A field of a message: its number, and what it holds. */
export type Field =
  | { readonly kind: "scalar"; readonly number: number; readonly type: ScalarName }
  | { readonly kind: "scalars"; readonly number: number; readonly type: "string" | "bytes" }
  | { readonly kind: "message" | "messages"; readonly number: number; readonly message: MessageType }
  /** From strings to strings; there are no others here. */
  | { readonly kind: "map"; readonly number: number };

/** The fields of a message, by the names that they have in this code. */
export type Fields = Readonly<Record<string, Field>>;

/** A message, as far as it is used: a daemon's fields that are not named are skipped. */
export interface MessageType<Known extends Fields = Fields> {
  readonly fields: Known;
  readonly byNumber: ReadonlyMap<number, readonly [name: string, field: Field]>;
}

/** A message as it is read: what was not sent has its default. */
export type Message<Type extends MessageType> = {
  readonly [Name in keyof Type["fields"]]: FieldValue<Type["fields"][Name]>;
};

type FieldValue<Known> = Known extends { kind: "scalar"; type: infer Name extends ScalarName }
  ? ScalarTypes[Name]
  : Known extends { kind: "scalars"; type: infer Name extends ScalarName }
    ? ScalarTypes[Name][]
    : Known extends { kind: "message"; message: infer Type extends MessageType }
      ? Message<Type> | undefined
      : Known extends { kind: "messages"; message: infer Type extends MessageType }
        ? Message<Type>[]
        : Record<string, string>;

/** A message as it is written: what is left out has its default. */
export type MessageInit<Type extends MessageType> = {
  readonly [Name in keyof Type["fields"]]?: FieldInit<Type["fields"][Name]> | undefined;
};

type FieldInit<Known> = Known extends { kind: "message"; message: infer Type extends MessageType }
  ? MessageInit<Type>
  : Known extends { kind: "messages"; message: infer Type extends MessageType }
    ? readonly MessageInit<Type>[]
    : Known extends { kind: "scalars"; type: infer Name extends ScalarName }
      ? readonly ScalarTypes[Name][]
      : Known extends { kind: "map" }
        ? Readonly<Record<string, string>>
        : FieldValue<Known>;

/** Declares a message. */
export function messageType<Known extends Fields>(fields: Known): MessageType<Known> {
  return { fields, byNumber: new Map(Object.entries(fields).map(([name, field]) => [field.number, [name, field]])) };
}

/** A single value; absent on the wire while it has its default. */
export function scalar<Name extends ScalarName>(type: Name, number: number) {
  return { kind: "scalar", number, type } as const;
}

/** Several values. */
export function scalars<Name extends "string" | "bytes">(type: Name, number: number) {
  return { kind: "scalars", number, type } as const;
}

/** A message within a message. */
export function nested<Type extends MessageType>(message: Type, number: number) {
  return { kind: "message", number, message } as const;
}

/** Several of them. */
export function repeated<Type extends MessageType>(message: Type, number: number) {
  return { kind: "messages", number, message } as const;
}

/** Strings by strings. */
export function stringMap(number: number) {
  return { kind: "map", number } as const;
}
