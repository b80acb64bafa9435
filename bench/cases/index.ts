import type { BenchCase } from "../bench-case.ts";
import { bootstrap } from "./bootstrap.ts";
import { delta } from "./delta.ts";
import { exec } from "./exec.ts";
import { importCore, importSlipway } from "./import.ts";
import { publish } from "./publish.ts";
import { cold, noChange, oneFile } from "./rebuild.ts";
import { scan } from "./scan.ts";
import { tar } from "./tar.ts";

/** Every case of `npm run bench -- <case>`. */
export const benchCases: readonly BenchCase[] = [
  noChange,
  oneFile,
  cold,
  bootstrap,
  exec,
  publish,
  importSlipway,
  importCore,
  tar,
  scan,
  delta,
];
