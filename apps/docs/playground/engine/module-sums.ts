import type { TensorColumns } from "./columns.js";
import type { ModuleIndex } from "./module-index.js";

/** What was found in each module, by its id: tensors, elements, bytes. */
export interface ModuleSums {
  readonly tensors: Uint32Array;
  readonly params: Float64Array;
  readonly bytes: Float64Array;
}

/** Adds up, for each module, the tensors below it that were found. */
export function sumModules({ nodes, moduleOf }: ModuleIndex, columns: TensorColumns, isFound: (tensor: number) => boolean): ModuleSums {
  const sums: ModuleSums = {
    tensors: new Uint32Array(nodes.length),
    params: new Float64Array(nodes.length),
    bytes: new Float64Array(nodes.length),
  };
  const add = (module: number, tensors: number, params: number, bytes: number): void => {
    sums.tensors[module] = (sums.tensors[module] ?? 0) + tensors;
    sums.params[module] = (sums.params[module] ?? 0) + params;
    sums.bytes[module] = (sums.bytes[module] ?? 0) + bytes;
  };
  for (let tensor = 0; tensor < moduleOf.length; tensor++) {
    if (isFound(tensor)) add(moduleOf[tensor] ?? 0, 1, columns.params[tensor] ?? 0, columns.bytes[tensor] ?? 0);
  }
  // Parents have smaller ids than what is in them.
  for (let id = nodes.length - 1; id > 0; id--) {
    add(nodes[id]?.parent ?? 0, sums.tensors[id] ?? 0, sums.params[id] ?? 0, sums.bytes[id] ?? 0);
  }
  return sums;
}
