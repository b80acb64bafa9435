import * as z from "zod/mini";

import { imageReferenceProblem } from "./image-reference.ts";

/** A reference that can be pushed to. */
export const tagSchema = nameOfImage({ mayHaveDigest: false });

/** A reference of what is there already. */
export const referenceSchema = nameOfImage({ mayHaveDigest: true });

function nameOfImage(options: { readonly mayHaveDigest: boolean }) {
  return z.string().check(
    z.superRefine((text, call) => {
      const message = imageReferenceProblem(text, options);
      if (message !== undefined) call.addIssue({ code: "custom", message });
    }),
  );
}
