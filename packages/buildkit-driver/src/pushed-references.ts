export function withoutTag(reference: string): string {
  return reference.replace(/:[^:/]+$/, "");
}
export function pushedReferences(..._a: unknown[]): readonly string[] {
  return [];
}
