export type { PickleGlobalUse, RawBytes } from "./machine.js";
export { OPCODES, type OpcodeName } from "./opcodes.js";
export { pythonRepr, pythonStr } from "./python-str.js";
export { type GlobalName, normalizeGlobal, protocol2Global } from "./python2-names.js";
export { type Pickle, type ReadPickleOptions, readPickle } from "./read-pickle.js";
export { type PickleTrace, type TracedCall, tracePickle } from "./trace-pickle.js";
export * from "./values.js";
export { type WritePickleOptions, writePickle } from "./write-pickle.js";
