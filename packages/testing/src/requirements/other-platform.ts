/** No builder has it, and nobody builds for it. */
export const otherPlatform = "linux/s390x";
