import type { BuildRequest, BuilderDriver, DriverCall } from "./builder-driver.ts";
import { BuilderError } from "./builder-error.ts";
import type { FoundImage } from "./found-image.ts";
import { repositoryOf } from "./image-reference.ts";
import { redactSecrets } from "./redaction.ts";

/** What a build with `skipIfPresent` knows before it begins. */
export interface SkipCheck {
  /** Of the inputs, as they were then. */
  readonly identity: string;
  readonly checkedAtMs: number;
  /** Every tag stands for it, and it was built from just these inputs. */
  readonly image: FoundImage | undefined;
}

/** A registry that does not answer costs no more than this. */
const answerTimeoutMs = 10_000;

/** A driver that declares the feature `skipIfPresent`. */
type SkippingDriver = BuilderDriver & Required<Pick<BuilderDriver, "find" | "identify" | "recordIdentity">>;

/** Whether a driver has all that `skipIfPresent` takes. */
export function canSkip(driver: Partial<Pick<BuilderDriver, "find" | "identify" | "recordIdentity">>): boolean {
  return [driver.find, driver.identify, driver.recordIdentity].every((method) => typeof method === "function");
}

/**
 * Looks whether an earlier build has made what this one would make. That a registry cannot be asked is no failure: then the build finds out what is wrong,
 * or reaches the registry from where it runs.
 */
export async function checkPresence(
  request: BuildRequest,
  driver: BuilderDriver,
  call: DriverCall,
): Promise<SkipCheck> {
  const checkedAtMs = Date.now();
  const skipping = driver as SkippingDriver;
  const found = Promise.all(request.tags.map((reference) => lookUp(reference, request, skipping, call)));
  // Whatever `identify` throws comes first.
  found.catch(() => undefined);
  const identity = await skipping.identify(request, call);
  return { identity, checkedAtMs, image: sameImage(await found, identity) };
}

async function lookUp(
  reference: string,
  { platforms }: BuildRequest,
  driver: SkippingDriver,
  call: DriverCall,
): Promise<FoundImage | undefined> {
  const { emit, signal } = call;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(unanswered(reference)), answerTimeoutMs);
  try {
    return await driver.find({ reference, platforms }, { ...call, signal: AbortSignal.any([signal, limit.signal]) });
  } catch (thrown) {
    signal.throwIfAborted();
    const { message } = BuilderError.from(limit.signal.aborted ? limit.signal.reason : thrown);
    emit({
      type: "warning",
      message: `Whether ${reference} is there already is not known, so it is built: ${message}`,
    });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function unanswered(reference: string): BuilderError {
  return new BuilderError({
    code: "TIMEOUT",
    message: `The registry of ${reference} has not answered within ${answerTimeoutMs / 1000} s.`,
    details: { timeoutMs: answerTimeoutMs },
  });
}

function sameImage(found: readonly (FoundImage | undefined)[], identity: string): FoundImage | undefined {
  const [first] = found;
  const isSame = found.every((image) => image?.digest === first?.digest && image?.identities.includes(identity));
  return isSame ? first : undefined;
}

/**
 * Leaves with a new image what it was built from, unless the inputs have changed meanwhile. A build that is done does not fail for it: the next one is
 * not skipped, that is all.
 */
export async function recordBuilt(
  request: BuildRequest,
  { identity, checkedAtMs }: SkipCheck,
  digest: string,
  driver: BuilderDriver,
  call: DriverCall,
): Promise<void> {
  const skipping = driver as SkippingDriver;
  try {
    const now = await skipping.identify(request, call, { unchangedSinceMs: checkedAtMs });
    if (now !== identity) throw new Error("What it is made of has changed during the build");
    const images = new Set(request.tags.map((tag) => `${repositoryOf(tag)}@${digest}`));
    await Promise.all([...images].map((reference) => skipping.recordIdentity({ reference, identity }, call)));
  } catch (thrown) {
    const message = redactSecrets(thrown instanceof Error ? thrown.message : String(thrown));
    call.emit({ type: "warning", message: `The next build of ${request.name} will not be skipped: ${message}` });
  }
}
