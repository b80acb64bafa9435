// Run as a child process: sends a sparse file of 400 MiB to a slow daemon and prints the highest RSS, sampled every 50 ms.
import { truncateSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { connectBuildkit } from "../buildkit-client.ts";
import { contextFolder } from "./context-folder.ts";
import { readWholePacket, requestPacket } from "./packets.ts";
import { buildOf } from "./requests.ts";
import { scriptedDaemon } from "./scripted-daemon.ts";

const sizeBytes = 400 * 1024 * 1024;
using context = contextFolder({ large: "" });
truncateSync(`${context.path}/large`, sizeBytes);
const { stream } = scriptedDaemon(async (session) => {
  const call = session.open("/moby.filesync.v1.FileSync/DiffCopy", { "dir-name": "context" });
  call.send(requestPacket(0));
  call.stream.pause();
  await delay(1000);
  call.stream.resume();
  let receivedBytes = 0;
  for (let ended = false; !ended;) {
    const message = await call.next();
    if (!message) throw new Error("The transfer broke off.");
    const packet = readWholePacket(message);
    receivedBytes += packet.data.length;
    ended = packet.type === 2 && packet.data.length === 0;
  }
  call.send(Uint8Array.of(0x08, 3));
  call.stream.end();
  await call.finished();
  return { receivedBytes: String(receivedBytes) };
});
await using client = await connectBuildkit(stream);
let maxRssBytes = 0;
const sampling = setInterval(() => (maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss())), 50);
const { exporterResponse } = await client.solve(buildOf(context.path));
clearInterval(sampling);
console.log(JSON.stringify({ ...exporterResponse, maxRssBytes }));
