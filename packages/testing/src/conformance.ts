/**
 * A fake driver and the conformance suite that every driver passes.
 *
 * @packageDocumentation
 */
export {};
