import type { Tree } from "@ckptkit/core";
import { type Constructor, isKind } from "../torch/build-context.js";
import type { Constructors } from "../torch/tree-builder.js";

/** Makes a list of plain type from a list: what it is given. */
const first: Constructor = ([items], _call, context): Tree | undefined =>
  isKind(items, "list") || isKind(items, "tuple") ? context.build(items) : undefined;

/**
 * What TorchScript's pickler names besides classes of the program: lists of one type, and values with their type.
 *
 * @see https://github.com/pytorch/pytorch torch/csrc/jit/serialization/pickler.cpp, Pickler::pushSpecializedList
 */
export const SCRIPT_CONSTRUCTORS: Constructors = /* @__PURE__ */ new Map([
  ...["intlist", "doublelist", "boollist", "tensorlist", "tensor_from_id"].map((name): [string, Constructor] => [
    `torch.jit._pickle.build_${name}`,
    first,
  ]),
  ["torch.jit._pickle.restore_type_tag", ([value], _call, context) => (value === undefined ? undefined : context.build(value))],
]);
