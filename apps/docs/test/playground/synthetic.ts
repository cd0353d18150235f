import { TensorHandle } from "@ckptkit/core";

const PARTS = [
  "attn.q_proj.weight",
  "attn.k_proj.weight",
  "attn.v_proj.weight",
  "attn.o_proj.weight",
  "mlp.up.weight",
  "mlp.down.weight",
  "norm.weight",
  "norm.bias",
];

/** The tensors of a model of experts: `count` of them in file order, some of each dtype, layers by number. */
export function manyTensors(count: number): TensorHandle[] {
  return Array.from({ length: count }, (_, index) => {
    const part = PARTS[index % PARTS.length] ?? "";
    const expert = Math.floor(index / PARTS.length) % 64;
    const layer = Math.floor(index / PARTS.length / 64);
    const name = `model.layers.${layer}.experts.${expert}.${part}`;
    const shape = part.startsWith("norm") ? [64] : [64, 1 + (index % 7)];
    const place = { keys: ["state_dict", name], name, group: "model" as const };
    return new TensorHandle({ dtype: part === "norm.bias" ? "F32" : "BF16", shape, storage: undefined, byteOffset: 0 }, place);
  });
}

/** Tensors with given paths, each with as many elements as its place says. */
export function namedTensors(names: readonly string[]): TensorHandle[] {
  return names.map((name, index) => {
    const place = { keys: [name], name, group: "model" as const };
    return new TensorHandle({ dtype: index % 2 === 0 ? "F32" : "I64", shape: [index + 1], storage: undefined, byteOffset: 0 }, place);
  });
}
