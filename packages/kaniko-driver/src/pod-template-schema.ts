import type { PodTemplate } from "@slipway/cluster";
import * as z from "zod/mini";

/** The schema of every `podTemplate`: what is in it, the cluster checks. */
export const podTemplateSchema = z._default(
  z.custom<PodTemplate>((value: unknown) => typeof value === "object" && value !== null, "Must be an object"),
  {},
);
