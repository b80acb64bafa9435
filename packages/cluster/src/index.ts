/**
 * Kubernetes access: REST, apply, streams, logs, watch and pod diagnosis.
 *
 * @packageDocumentation
 */
export {};
export { mergePodTemplate, type PodTemplate } from "./pod-template.ts";
