const aliases: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armhf: "arm" };
/** What a platform without a variant stands for, and what is left out where it is written. */
const impliedVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8" };

/** One spelling for each platform, as real drivers compare them: `linux/arm64/v8` is `linux/arm64`, `linux/arm` is `linux/arm/v7`. */
export function normalizePlatform(platform: string): string {
  const [os = "", architecture = "", variant = ""] = platform.toLowerCase().split("/");
  const known = aliases[architecture] ?? architecture;
  if (known === "arm") return `${os}/arm/${variant === "" ? "v7" : variant}`;
  return variant === "" || variant === impliedVariants[known] ? `${os}/${known}` : `${os}/${known}/${variant}`;
}
