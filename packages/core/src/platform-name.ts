const architectureAliases: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armhf: "arm" };

/** One spelling for each platform, as containerd has it: `linux/arm64/v8` is `linux/arm64`, `linux/arm` is `linux/arm/v7`. */
export function normalizePlatform(platform: string): string {
  const [os = "", architecture = "", variant = ""] = platform.toLowerCase().split("/");
  const known = architectureAliases[architecture] ?? architecture;
  if (known === "arm") return `${os}/arm/${variant === "" ? "v7" : variant}`;
  const implied = variant === "" || (known === "arm64" && variant === "v8") || (known === "amd64" && variant === "v1");
  return implied ? `${os}/${known}` : `${os}/${known}/${variant}`;
}
