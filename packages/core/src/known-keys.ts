/** The part of a zod schema's definition that leads to the keys of its objects; the same in every copy of zod 4. */
interface SchemaDefinition {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly out?: unknown;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly options?: readonly unknown[];
}

/** The keys that a schema knows at a path, for a hint; none if it is no zod schema. In a union, the member with the value's `type` counts. */
export function knownKeys(schema: unknown, path: readonly PropertyKey[], value: unknown): readonly string[] {
  const definition = definitionOf(schema);
  if (definition === undefined) return [];
  if (definition.options !== undefined)
    return membersFor(definition.options, value).flatMap((member) => knownKeys(member, path, value));
  const wrapped = [definition.innerType, definition.in, definition.out].filter((inner) => inner !== undefined);
  if (wrapped.length > 0) return [...new Set(wrapped.flatMap((inner) => knownKeys(inner, path, value)))];
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(definition.shape ?? {});
  const next = definition.shape?.[String(key)] ?? definition.element ?? definition.valueType;
  return knownKeys(next, rest, (value as Record<PropertyKey, unknown> | undefined)?.[key]);
}

function definitionOf(schema: unknown): SchemaDefinition | undefined {
  return (schema as { _zod?: { def?: SchemaDefinition } } | undefined)?._zod?.def;
}

function membersFor(members: readonly unknown[], value: unknown): readonly unknown[] {
  const type: unknown = (value as { type?: unknown } | undefined)?.type;
  const fitting = members.filter((member) => acceptsType(definitionOf(member)?.shape?.["type"], type));
  return fitting.length > 0 ? fitting : members;
}

function acceptsType(schema: unknown, type: unknown): boolean {
  const { values, entries } = (definitionOf(schema) ?? {}) as {
    values?: readonly unknown[];
    entries?: Record<string, unknown>;
  };
  return values?.includes(type) ?? Object.values(entries ?? {}).includes(type);
}
