import { BuilderError } from "./builder-error.ts";
import type { PublishOptions } from "./builder-maintenance.ts";
import { describeThrown } from "./redaction.ts";

/** Turns whatever `beforeTag` throws into `PUBLISH_REFUSED`, whoever the driver is. */
export function withGate(options: PublishOptions): PublishOptions {
  const { beforeTag } = options;
  if (beforeTag === undefined) return options;
  return {
    ...options,
    beforeTag: async (image, call) => {
      try {
        await beforeTag(image, call);
      } catch (cause) {
        if (call.signal.aborted) throw cause;
        throw publishRefused(image.references[0] ?? image.digest, cause);
      }
    },
  };
}

/** The error for an image that `beforeTag` did not let through. */
export function publishRefused(reference: string, cause: unknown): BuilderError<"PUBLISH_REFUSED"> {
  const reason = describeThrown(cause);
  return new BuilderError({
    code: "PUBLISH_REFUSED",
    message: `beforeTag did not let ${reference} through: ${reason}. The image is there under its digest; no tag has moved.`,
    details: { reference, reason },
    cause,
  });
}
