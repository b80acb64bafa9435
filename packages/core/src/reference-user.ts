/** What a name of an image is divided into by the user that stands before its registry, if one does. */
interface DividedReference {
  /** All that stands before the last `@` that begins no digest; a password may have slashes, and an `@`. */
  readonly before: string;
  /** What follows that `@`, up to the digests. */
  readonly place: string;
  readonly digests: string;
}

/** Algorithms as people misspell them, too: what is taken for a digest is no host, so that no user stands before it. */
const digestLike = /^(?:(?:sha|md|blake)\d+[a-z]?(?:[-_]\d+)?(?:\+[\w.+-]*)?|tarsum(?:\.\w+)?\+\w+):[^/]*$/i;

/** A folder or a port follows only a host. A dot before a digit is that of a version, `v1.2`, unless it is that of an address. */
const hostLike = /\/|:\d{1,5}$|^localhost(?::|$)|^\[|\.\p{L}|^\d+(?:\.\d+){3}(?::|$)/iu;

/** What begins with a host that has a dot is no user. */
const knownReference = /^[a-z\d-]+(?:\.[a-z\d-]+)+\/[\w./-]+(?::[\w.-]+)?$/i;

const maxQuotedLength = 300;

/** What is wrong with a name that {@link namesUser}, to follow the quoted name. */
export const userBeforeReference = "has a user before it; leave that out, and give it as credentials";

/** Whether a name of an image has a user, and maybe a password, before its registry: `ann:secret@registry.example.com/app`. */
export function namesUser(text: string): boolean {
  const { before, place } = divide(text);
  return before !== "" && hostLike.test(place);
}

/**
 * A name of an image as messages have it: in quotes, without a user and a password, and of 300 characters at most. Where it cannot be told whether what
 * stands before an `@` is a user, an ellipsis is in its place.
 */
export function quoteReference(text: string): string {
  const { before, place, digests } = divide(text);
  const [scheme = ""] = /^(?:https?|oci|docker):\/\//i.exec(text) ?? [];
  const hidden = hostLike.test(place) ? scheme : "…@";
  const shown = before === "" || knownReference.test(before) ? text : `${hidden}${place}${digests}`;
  return JSON.stringify(shown.length > maxQuotedLength ? `${shown.slice(0, maxQuotedLength)}…` : shown);
}

function divide(text: string): DividedReference {
  const parts = text.split("@");
  const index = Math.max(
    parts.findLastIndex((part) => !digestLike.test(part)),
    0,
  );
  const digests = parts.slice(index + 1).map((digest) => `@${digest}`);
  return { before: parts.slice(0, index).join("@"), place: parts[index] ?? "", digests: digests.join("") };
}
