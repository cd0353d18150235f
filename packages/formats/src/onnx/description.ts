import type { TypedRun } from "./typed-source.js";

/** A TensorProto as it stands in the file: what it is, and where its values are. */
export interface OnnxTensor {
  name: string;
  /** Id of its element type. */
  type: number;
  shape: (number | bigint)[];
  /** Where the bytes of `raw_data` are. */
  raw: { readonly start: number; readonly end: number } | undefined;
  /** Number of the field that holds typed data, and where its entries are. */
  typedField: number;
  typed: TypedRun[];
  /** Values of `external_data`, where the tensor's bytes are in another file. */
  external: Map<string, string> | undefined;
  /** The first values of text. */
  strings: string[];
  stringCount: number;
  /** It is a part of a larger tensor, which no program writes. */
  isSegment: boolean;
}

/** A tensor whose elements are mostly zero. */
export interface OnnxSparseTensor {
  values: OnnxTensor | undefined;
  indices: OnnxTensor | undefined;
  shape: (number | bigint)[];
}

/** What an attribute of a node holds besides numbers and text. */
export interface OnnxAttribute {
  name: string;
  readonly tensors: OnnxTensor[];
  readonly graphs: OnnxGraph[];
  readonly sparse: OnnxSparseTensor[];
}

/** A node that holds tensors or graphs. */
export interface OnnxNode {
  readonly operator: string;
  readonly domain: string;
  readonly name: string;
  /** Name of its first output. */
  readonly output: string;
  readonly attributes: readonly OnnxAttribute[];
}

/** An input or output of a graph: `FLOAT [1, "batch"]`; null for a size that is not told. */
export interface OnnxValue {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | bigint | string | null)[] | undefined;
}

/** A graph: of the model, of a loop's or condition's branch, of a function. */
export interface OnnxGraph {
  name: string;
  readonly initializers: OnnxTensor[];
  readonly sparse: OnnxSparseTensor[];
  /** Those nodes that hold tensors or graphs. */
  readonly nodes: OnnxNode[];
  readonly inputs: OnnxValue[];
  readonly outputs: OnnxValue[];
}

/** A function of the model's own. */
export interface OnnxFunction {
  name: string;
  domain: string;
  readonly graph: OnnxGraph;
}

/** A graph that trains the model. */
export interface OnnxTraining {
  readonly initialization: OnnxGraph;
  readonly algorithm: OnnxGraph;
}

/** What a model says of itself. */
export interface OnnxModel {
  /** ir_version, producer_name ... by the field's name. */
  readonly facts: Map<string, string | number | bigint>;
  /** Version of each domain's operators. */
  readonly opsets: Map<string, number | bigint>;
  /** `metadata_props`. */
  readonly properties: Map<string, string>;
  readonly graph: OnnxGraph;
  readonly functions: OnnxFunction[];
  readonly training: OnnxTraining[];
  /** How often each operator occurs, in all graphs: `domain::name`, without domain where it is ONNX's own. */
  readonly operators: Map<string, number>;
  /** The same by domain. */
  readonly domains: Map<string, number>;
}

export const newTensor = (): OnnxTensor => ({
  name: "",
  type: 0,
  shape: [],
  raw: undefined,
  typedField: 0,
  typed: [],
  external: undefined,
  strings: [],
  stringCount: 0,
  isSegment: false,
});

export const newGraph = (): OnnxGraph => ({ name: "", initializers: [], sparse: [], nodes: [], inputs: [], outputs: [] });
