import { CheckpointError } from "@ckptkit/core";
import { type ModuleNode, moduleTree } from "@ckptkit/inspect";
import type { Session, SessionId, Sessions } from "./sessions.js";

/** A part of the map: a module, a tensor, or what is too small to be drawn by itself. Its area is its parameters. */
export interface MapPart {
  readonly name: string;
  /** Name in the state dict. */
  readonly path: string;
  readonly value: number;
  readonly kind: "module" | "tensor" | "rest";
  readonly children?: readonly MapPart[];
}

/** The area behind the map of parameters. */
export function createModuleMap(sessions: Sessions) {
  const roots = new WeakMap<Session, ModuleNode>();
  const rootOf = (id: SessionId): { session: Session; root: ModuleNode } => {
    const session = sessions.get(id);
    const root = roots.get(session) ?? moduleTree(session.checkpoint);
    roots.set(session, root);
    return { session, root };
  };

  return {
    /**
     * What is in a module: `levels` deep, and at most `most` parts of each module, the largest first; the others together are one part.
     *
     * @throws {CheckpointError} UNKNOWN_TENSOR when there is no such module
     */
    map: async (id: SessionId, path: string, levels = 3, most = 48): Promise<MapPart> => {
      const { session, root } = rootOf(id);
      let node: ModuleNode | undefined = root;
      while (node && node.path !== path) node = node.children.find((child) => path === child.path || path.startsWith(`${child.path}.`));
      if (!node) throw new CheckpointError("UNKNOWN_TENSOR", `There is no module "${path}".`, { details: { path } });
      return partOf(node, session, levels, most);
    },
  };
}

function partOf(node: ModuleNode, session: Session, levels: number, most: number): MapPart {
  const { path, parameters: value } = node;
  const own = { name: node.name || "all weights", path, value, kind: "module" } as const;
  if (levels === 0) return own;
  const modules = node.children.map((child) => ({ value: child.parameters, make: () => partOf(child, session, levels - 1, most) }));
  const tensors = node.own.map(({ name, index }) => {
    const tensor = session.checkpoint.tensors[index];
    const size = tensor?.elementCount ?? 0;
    return { value: size, make: (): MapPart => ({ name, path: tensor?.name ?? name, value: size, kind: "tensor" }) };
  });
  const parts = [...modules, ...tensors].filter((part) => part.value > 0).sort((a, b) => b.value - a.value);
  const children = parts.slice(0, most).map(({ make }) => make());
  const rest = parts.slice(most);
  const restValue = rest.reduce((sum, part) => sum + part.value, 0);
  if (restValue > 0) children.push({ name: `${rest.length} more`, path, value: restValue, kind: "rest" });
  return { ...own, children };
}
