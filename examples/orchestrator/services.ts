import type { BuildOptions } from "slipway";

/** A service of a project: what to build, and whose images it is built on. */
export interface Service {
  readonly name: string;
  readonly build: BuildOptions;
  /** Services further up whose images come in as build arguments: argument → service. */
  readonly bases?: Readonly<Record<string, string>>;
}

const registry = "registry.example.com/shop";

/** Three services on one base image. */
export const services: readonly Service[] = [
  { name: "base", build: { context: "./base", tags: [`${registry}/base:dev`] } },
  {
    name: "api",
    build: { context: "./api", target: "production", tags: [`${registry}/api:dev`] },
    bases: { BASE: "base" },
  },
  { name: "web", build: { context: "./web", tags: [`${registry}/web:dev`] }, bases: { BASE: "base" } },
];
