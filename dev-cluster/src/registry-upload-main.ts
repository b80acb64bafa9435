// Runs inside a node's network, where the registry answers: the machine itself cannot reach it.
import { type Upload, uploadImages } from "./registry-upload.ts";

const [host = "", uploads = "[]"] = process.argv.slice(2);
await uploadImages(host, JSON.parse(uploads) as Upload[]);
