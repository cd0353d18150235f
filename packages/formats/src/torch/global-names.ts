import type { PickleCall, PickleGlobal, PickleValue } from "@ckptkit/pickle";
import { isKind } from "./build-context.js";

/** Nested getattr(Class, "Inner") that are folded into one name. Classes nest two or three deep. */
const NAME_DEPTH = 16;
/** Characters of a name put together so. */
const NAME_CHARACTERS = 1000;

/** Dotted names of what a pickle names. */
export class GlobalNames {
  readonly #known = new Map<PickleGlobal, string>();

  /**
   * The dotted name of a global, with `getattr(Global, "name")` folded; of a class that a legacy file stores with its source;
   * undefined for anything else.
   */
  of(value: PickleValue | undefined): string | undefined {
    if (isKind(value, "global")) return this.dotted(value);
    if (isKind(value, "persistent")) {
      // ('module', class, file of its source, source); torch 0.1 has no tag
      const [tag, second] = isKind(value.id, "tuple") ? value.id.items : [];
      const cls = tag === "module" ? second : tag;
      return isKind(cls, "global") ? this.dotted(cls) : undefined;
    }
    return isGetattr(value) ? this.#attribute(value) : undefined;
  }

  /** `module.name`; put together once for each global, which most calls share. */
  dotted(value: PickleGlobal): string {
    let name = this.#known.get(value);
    if (name === undefined) {
      name = `${value.module}.${value.name}`;
      this.#known.set(value, name);
    }
    return name;
  }

  #attribute(value: PickleCall): string | undefined {
    const attributes: string[] = [];
    let at: PickleValue | undefined = value;
    while (isGetattr(at) && attributes.length < NAME_DEPTH) {
      const attribute: PickleValue | undefined = at.args[1];
      if (typeof attribute !== "string" || attribute.length > NAME_CHARACTERS) return undefined;
      attributes.unshift(attribute);
      at = at.args[0];
    }
    const owner = isGetattr(at) ? undefined : this.of(at);
    return owner === undefined ? undefined : [owner, ...attributes].join(".");
  }
}

const isGetattr = (value: PickleValue | undefined): value is PickleCall =>
  isKind(value, "call") &&
  isKind(value.callable, "global") &&
  value.callable.name === "getattr" &&
  value.callable.module === "builtins" &&
  value.args.length === 2;
