/** Options of DevSpace v4.0 to v6.3 that a build with kaniko knows: those of an image, and `images.*.kaniko`. */
export const devspaceOptions: readonly string[] = [
  ...["image", "tags", "dockerfile", "context", "target", "network", "buildArgs", "entrypoint", "cmd"],
  ...["options.target", "options.network", "options.buildArgs"],
  ...["appendDockerfileInstructions", "rebuildStrategy", "skipPush", "createPullSecret", "injectRestartHelper"],
  ...["kaniko.cache", "kaniko.snapshotMode", "kaniko.insecure", "kaniko.image", "kaniko.initImage", "kaniko.args"],
  ...["kaniko.flags", "kaniko.command", "kaniko.namespace", "kaniko.pullSecret", "kaniko.skipPullSecretMount"],
  ...["kaniko.serviceAccount", "kaniko.nodeSelector", "kaniko.tolerations", "kaniko.generateName"],
  ...["kaniko.annotations", "kaniko.labels", "kaniko.env", "kaniko.envFrom", "kaniko.initEnv", "kaniko.resources"],
  ...["", "[].mountPath", "[].readOnly", "[].subPath", "[].secret", "[].configMap"].map(
    (key) => `kaniko.additionalMounts${key}`,
  ),
];

/** Options of Garden 0.12 to 0.14 that a build in the mode `kaniko` knows: those of the providers, and of a build action. */
export const gardenOptions: readonly string[] = [
  ...["buildMode", "utilImageRegistryDomain", "namespace", "kubeconfig", "context", "kubectlPath"],
  ...["hostname", "port", "namespace", "insecure"].map((key) => `deploymentRegistry.${key}`),
  ...["imagePullSecrets[].name", "imagePullSecrets[].namespace", "copySecrets[].name", "copySecrets[].namespace"],
  ...["kaniko.image", "kaniko.extraFlags", "kaniko.namespace", "kaniko.nodeSelector", "kaniko.tolerations"],
  ...["kaniko.annotations", "kaniko.serviceAccountAnnotations"],
  ...["kaniko.util.tolerations", "kaniko.util.annotations", "kaniko.util.nodeSelector"],
  ...["resources.builder.limits", "resources.builder.requests", "resources.util", "resources.sync"],
  ...["jib.pushViaCluster", "gardenSystemNamespace", "systemNodeSelector", "dockerBuildExtraFlags"],
  ...["timeout", "include", "exclude", "buildAtSource", "allowPublish"],
  ...["copyFrom[].build", "copyFrom[].sourcePath", "copyFrom[].targetPath"],
  ...["dockerfile", "buildArgs", "extraFlags", "platforms", "secrets", "targetStage", "localId", "publishId"].map(
    (key) => `spec.${key}`,
  ),
];
