/** A copy of what holds a secret that prints, and turns into JSON, as what diagnostics may say. */
export function printsAs<Value extends object>(value: Value, shown: Partial<Value>): Value {
  return Object.defineProperties(
    { ...value },
    {
      toJSON: { value: () => shown },
      [Symbol.for("nodejs.util.inspect.custom")]: { value: () => shown },
    },
  );
}
