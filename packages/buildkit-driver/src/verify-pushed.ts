export function verifyPushed(..._arguments: unknown[]): Promise<void> {
  return Promise.resolve();
}
