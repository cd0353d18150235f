import type { TensorData } from "@ckptkit/core";
import type { ModelAdapter } from "@ckptkit/core/pipeline";

/** A model that notes what is loaded into it. */
export interface RecordingModel extends ModelAdapter {
  /** What the stage gave it to load, name by name. */
  readonly loaded: Map<string, TensorData>;
}

/** A model that passes everything on to another one, and notes what is loaded. */
export function recordingModel(model: ModelAdapter): RecordingModel {
  const loaded = new Map<string, TensorData>();
  const note = (values: ReadonlyMap<string, TensorData>): void => {
    for (const [name, value] of values) loaded.set(name, value);
  };
  const { loadStateDictSync } = model;
  return {
    loaded,
    stateDict: () => model.stateDict(),
    async loadStateDict(values, options) {
      const keys = await model.loadStateDict(values, options);
      note(values);
      return keys;
    },
    ...(loadStateDictSync && {
      loadStateDictSync: (values: ReadonlyMap<string, TensorData>, options: { strict: boolean }) => {
        const keys = loadStateDictSync.call(model, values, options);
        note(values);
        return keys;
      },
    }),
    replaceTensors: (values) => model.replaceTensors(values),
    namedParameters: () => model.namedParameters(),
    submodule: (path) => model.submodule(path),
    setRequiresGrad: (path, requiresGrad) => model.setRequiresGrad(path, requiresGrad),
    ties: () => model.ties(),
    get weightsInitialized() {
      return model.weightsInitialized;
    },
    set weightsInitialized(value) {
      model.weightsInitialized = value;
    },
  };
}
