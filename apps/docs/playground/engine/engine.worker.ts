import * as Comlink from "comlink";
import { installErrorTransfer } from "./errors.js";
import { createModuleMap } from "./module-map.js";
import { createOpen } from "./open.js";
import { createOverview } from "./overview.js";
import { Sessions } from "./sessions.js";
import { Tasks } from "./tasks.js";
import { createTensors } from "./tensors.js";

const sessions = new Sessions();
const tasks = new Tasks();

/** Everything that the page can ask for: one area a file. */
const engine = {
  tasks,
  files: createOpen(sessions, tasks),
  overview: createOverview(sessions),
  tensors: createTensors(sessions),
  modules: createModuleMap(sessions),
};

/** The type of the engine, for the client. */
export type Engine = typeof engine;

installErrorTransfer();
Comlink.expose(engine);
