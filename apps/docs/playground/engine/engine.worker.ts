import * as Comlink from "comlink";
import { createCompare } from "./compare.js";
import { createConvert } from "./convert.js";
import { installErrorTransfer } from "./errors.js";
import { createExports } from "./exports.js";
import { createModuleMap } from "./module-map.js";
import { createObjectTree } from "./object-tree/index.js";
import { createOpen } from "./open.js";
import { createOverview } from "./overview.js";
import { createPipeline } from "./pipeline.js";
import { createScan } from "./scan.js";
import { Sessions } from "./sessions.js";
import { Tasks } from "./tasks.js";
import { createTensor } from "./tensor.js";
import { createTensors } from "./tensors.js";
import { createWholeFile } from "./whole-file.js";

const sessions = new Sessions();
const tasks = new Tasks();

/** Everything that the page can ask for: one area a file. */
const engine = {
  tasks,
  files: createOpen(sessions, tasks),
  overview: createOverview(sessions),
  tensors: createTensors(sessions),
  modules: createModuleMap(sessions),
  objectTree: createObjectTree(sessions),
  tensor: createTensor(sessions, tasks),
  scan: createScan(sessions, tasks),
  wholeFile: createWholeFile(sessions, tasks),
  compare: createCompare(sessions, tasks),
  convert: createConvert(sessions, tasks),
  exports: createExports(sessions),
  pipeline: createPipeline(sessions, tasks),
};

/** The type of the engine, for the client. */
export type Engine = typeof engine;

installErrorTransfer();
Comlink.expose(engine);
