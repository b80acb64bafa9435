// Copies an image from registry to registry with the published form of the package: what a publishing tool runs, from start to end.
import { copyImage, createRegistryClient } from "slipway/registry";

const { source, destination } = JSON.parse(process.env.SLIPWAY_BENCH);
const connect = (registry) => createRegistryClient({ registry });
console.log(await copyImage({ source, destinations: [destination], connect }));
