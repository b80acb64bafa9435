const variable = /\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})/g;

/**
 * Expands the variables of a Dockerfile: `$name`, `${name}`, `${name:-default}` and `${name:+alternative}`. A name whose value is undefined has one that is
 * not known.
 *
 * @returns undefined if the text depends on a value that is not known
 */
export function expandVariables(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const unknown = new Set<string>();
  const expanded = text
    .replace(/^(["'])(.*)\1$/, "$2")
    .replace(variable, (_match, plain?: string, braced?: string, operator = "", word = "") => {
      const name = plain ?? braced ?? "";
      const isNamed = Object.hasOwn(values, name);
      const value = isNamed ? values[name] : undefined;
      if (value === undefined && (isNamed || operator === "")) unknown.add(name);
      const isSet = value !== undefined && (value !== "" || !String(operator).startsWith(":"));
      if (String(operator).endsWith("+")) return isSet ? String(word) : "";
      if (String(operator).endsWith("-")) return isSet ? value : String(word);
      return value ?? "";
    });
  return unknown.size === 0 ? expanded : undefined;
}
