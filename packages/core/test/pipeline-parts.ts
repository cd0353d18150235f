import { type Checkpoint, memorySource, Storage, TensorHandle } from "../src/index.js";
import {
  CheckpointCheck,
  type CheckpointContext,
  CheckpointSink,
  CheckpointSource,
  LoadingStrategy,
  type ModelAdapter,
  ModelModifier,
  type StageOptions,
  type Stateful,
} from "../src/pipeline/index.js";

/** A checkpoint of one tensor. */
export function smallCheckpoint(uri = "small.ckpt"): Checkpoint {
  const storage = new Storage({ id: "0", bytes: memorySource(new Uint8Array(4)) });
  const tensor = new TensorHandle({ dtype: "F32", shape: [1], storage, byteOffset: 0 }, { keys: ["w"], name: "w", group: "model" });
  return { ...emptyCheckpoint(uri), byteLength: 4, tensors: [tensor] };
}

/** A checkpoint of nothing. */
export function emptyCheckpoint(uri = "empty.ckpt"): Checkpoint {
  const tree = { kind: "map", type: "dict", entries: [] } as const satisfies object;
  return {
    uri,
    format: "memory",
    layout: "state_dict",
    byteLength: 0,
    tensors: [],
    tree: { ...tree, entries: [] },
    metadata: {},
    findings: [],
    close: async () => undefined,
  };
}

/** A model without tensors, of which only the flag matters. */
export function fakeModel(): ModelAdapter {
  return {
    weightsInitialized: false,
    stateDict: () => new Map(),
    loadStateDict: async () => ({ missingKeys: [], unexpectedKeys: [] }),
    replaceTensors: () => undefined,
    namedParameters: () => [],
    submodule: () => undefined,
    setRequiresGrad: () => 0,
    ties: () => [],
  };
}

/** An optimizer or scheduler without a state. */
export const stateful = (): Stateful => ({ stateDict: () => null, loadStateDict: () => undefined });

type Work = (context: CheckpointContext, options: StageOptions) => CheckpointContext;
const unchanged: Work = (context) => context;

/** Stages of every kind that do what they are given, or nothing. */
export class TestSource extends CheckpointSource {
  readonly options: { as?: string };
  constructor(as?: string) {
    super();
    this.options = as === undefined ? {} : { as };
  }
  async process(context: CheckpointContext): Promise<CheckpointContext> {
    return this.processSync(context);
  }
  processSync(context: CheckpointContext): CheckpointContext {
    return context.withCheckpoint(smallCheckpoint(), this.options.as).withMetadata({ source_type: "test" });
  }
}

export class TestCheck extends CheckpointCheck {
  constructor(readonly work: Work = unchanged) {
    super();
  }
  async process(context: CheckpointContext, options: StageOptions): Promise<CheckpointContext> {
    return this.work(context, options);
  }
}

export class TestLoader extends LoadingStrategy {
  readonly options: { into?: string };
  constructor(into?: string) {
    super();
    this.options = into === undefined ? {} : { into };
  }
  async process(context: CheckpointContext): Promise<CheckpointContext> {
    return this.processSync(context);
  }
  processSync(context: CheckpointContext): CheckpointContext {
    if (context.model) context.model.weightsInitialized = true;
    return context;
  }
}

export class TestModifier extends ModelModifier {
  constructor(readonly work: Work = unchanged) {
    super();
  }
  async process(context: CheckpointContext, options: StageOptions): Promise<CheckpointContext> {
    return this.work(context, options);
  }
  processSync(context: CheckpointContext, options: StageOptions): CheckpointContext {
    return this.work(context, options);
  }
}

export class TestSink extends CheckpointSink {
  async process(context: CheckpointContext): Promise<CheckpointContext> {
    return context;
  }
}
