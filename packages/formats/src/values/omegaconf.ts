import type { ObjectNode, Tree } from "@ckptkit/core";

/** Classes of omegaconf, also those that were named otherwise in its first version. */
const CONTAINERS = new Set(["omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig"]);
const NODE = /^omegaconf\.(?:nodes|base)\.\w*Node$/;

/**
 * The value that a node of an omegaconf configuration holds, without what omegaconf keeps about it (types, flags, the parent). Texts such as
 * `${model.width}` and `???` are left as they are: they say what the configuration says. Undefined for objects of other classes.
 *
 * @see https://github.com/omry/omegaconf omegaconf/basecontainer.py, `__getstate__`; omegaconf/nodes.py, `ValueNode`
 */
export function omegaconfValue({ type, attributes, state }: ObjectNode): { readonly value: Tree } | undefined {
  const isContainer = CONTAINERS.has(type);
  if (!isContainer && !NODE.test(type)) return undefined;
  if (state !== undefined || !attributes) return undefined;
  const names = isContainer || type.endsWith(".UnionNode") ? ["_content", "content"] : ["_val", "val"];
  const found = attributes.entries.find(([key]) => typeof key === "string" && names.includes(key));
  return found && { value: found[1] };
}
