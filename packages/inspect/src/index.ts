export { type ComparedTensor, type CompareOptions, type Comparison, compareCheckpoints, type LoneTensor } from "./compare/compare.js";
export { type Matched, type MatchOptions, matchTensors } from "./compare/match-tensors.js";
export type { MetadataDifference } from "./compare/metadata-difference.js";
export type { Tolerance, ValueDifference } from "./compare/value-difference.js";
export { CONVERT_TARGETS, type ConvertOptions, type ConvertReport, type ConvertTarget, convertCheckpoint } from "./convert.js";
export { describeCheckpoint, type InspectReport, type TensorReport } from "./describe.js";
export { estimateMemory, type MemoryEstimate } from "./estimate-memory.js";
export { type FindNonFiniteOptions, findNonFinite, type NonFinitePlace } from "./find-non-finite.js";
export { type HashOptions, hashSource, hashTensors, type TensorHashOptions } from "./hash.js";
export { type ModuleNode, type ModuleTreeOptions, moduleTree } from "./module-tree.js";
export { type CheckpointMarkdownOptions, checkpointMarkdown } from "./report/checkpoint-markdown.js";
export { csvRecord } from "./report/csv.js";
export { type Cell, markdownTable, markdownText } from "./report/markdown-table.js";
export { type TensorsCsvOptions, tensorsCsv } from "./report/tensors-csv.js";
export type { WorkOptions } from "./run-work.js";
export { type ScanOptions, type ScanReport, type ScanRow, scanCheckpoint } from "./scan.js";
export { globFilter, globMatcher, type SelectTensor } from "./select.js";
export type { OptimizerSummary } from "./summary/optimizers.js";
export type { Producer } from "./summary/producers.js";
export { type StorageUse, storageUse } from "./summary/storage-use.js";
export { type CheckpointSummary, summarizeCheckpoint } from "./summary/summarize.js";
export { type DTypeSum, type GroupSum, sumTensors, type TensorSum, type TensorSums } from "./summary/sums.js";
export type { SchedulerSummary, TrainingState } from "./summary/training-state.js";
export { tieKeys } from "./tie-key.js";
export { type TreePart, treeHead, treeParts, treeText } from "./tree-text.js";
export { type HistogramOptions, histogram, type TensorHistogram } from "./values/histogram.js";
export { readSlice, type TensorSlice } from "./values/read-slice.js";
export {
  type ExactNumber,
  exactNumber,
  type ReadValuesOptions,
  readTensorValues,
  type TensorValue,
  type TensorValues,
} from "./values/read-values.js";
export type { SliceOptions, SliceReduce } from "./values/slice-plan.js";
