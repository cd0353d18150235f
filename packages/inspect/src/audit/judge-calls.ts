import { isPickleNode, type PickleCall, type PickleTrace, type PickleValue } from "@ckptkit/pickle";
import type { AuditLog } from "./audit-log.js";
import { judgeGlobal } from "./judge-global.js";

/** A module and a name in it; the name may be dotted. */
interface Name {
  readonly module: string;
  readonly name: string;
}

/** Looks at the bytes that a call would load in its turn. */
export type AuditInner = (bytes: Uint8Array, place: string) => boolean;

/** Nested getattr that are followed. */
const NAME_DEPTH = 16;
/** Functions that call their first argument. */
const APPLIES = new Set([
  "functools.partial",
  "dill._dill._create_array",
  "torch._tensor._rebuild_from_type_v2",
  "torch._tensor._rebuild_from_type",
  "torch.tensor._rebuild_from_type_v2",
  "torch.tensor._rebuild_from_type",
]);
/** The shortest base64 text that could hold a pickle that does something. */
const BASE64_CHARACTERS = 16;

/**
 * Looks at the shape of every call that a stream describes: what is called, and with what, where that decides what it does.
 *
 * @param where names the pickle; a place is `where: byte 12`.
 */
export function judgeCalls(trace: PickleTrace, where: string, log: AuditLog, auditInner: AuditInner): void {
  const hasGetattr = trace.globals.some(({ name }) => name === "getattr");
  for (const { call, offset } of trace.calls) {
    const place = `${where}: byte ${offset}`;
    const callee = nameOf(call.callable);
    if (!callee) {
      // What legacy files say of a class's source, and instances that are called as functions.
      log.note("calls-a-result", "The pickle calls a value that is no plain name.", place);
      continue;
    }
    if (!isGlobal(call.callable) && !isPersistent(call.callable)) log.use(callee.module, callee.name, place);
    const dotted = `${callee.module}.${callee.name}`;
    if (hasGetattr && call.args.some((argument) => isGlobal(argument, "builtins", "getattr"))) {
      log.note("hidden-attribute", `getattr is handed to ${dotted}, which may call it with anything.`, place);
    }
    if (call.args.some(isGetitem)) log.note("odd-arguments", `getitem is handed to ${dotted}, which may call it with anything.`, place);
    if (/^numpy\._?core\._ufunc_reconstruct$/.test(dotted)) judgeUfunc(call, place, log);
    else if (dotted === "builtins.getattr") judgeGetattr(call, place, log);
    else if (/^_?operator\.getitem$/.test(dotted) && (call.star !== undefined || !isGeneric(call.args[0]))) {
      log.note("odd-arguments", `${dotted} is called with something else than a generic type.`, place);
    } else if (dotted === "builtins.type" && call.args.length !== 1) {
      log.note("odd-arguments", `builtins.type is called with ${call.args.length} arguments: it makes a class.`, place);
    } else if (dotted === "_codecs.encode" && call.args[1] !== "latin1" && call.args[1] !== "latin-1") {
      log.note("odd-arguments", "_codecs.encode is called with another encoding than latin1.", place);
    } else if (APPLIES.has(dotted) && (call.star !== undefined || !nameOf(call.args[0]))) {
      log.note("applied-function", `${dotted} is to call something that is no plain name.`, place);
    }
    loadInner(call, callee, place, log, auditInner);
  }
}

/** `_ufunc_reconstruct(module, name)` imports what it is given: how numpy wrote its own functions of numbers. */
function judgeUfunc({ args: [module, name], star }: PickleCall, place: string, log: AuditLog): void {
  if (typeof module === "string" && typeof name === "string" && star === undefined) log.use(module, name, place);
  else log.note("hidden-attribute", "_ufunc_reconstruct is called with something else than the names of a module and a function.", place);
}

/** getattr(Class, "Inner") names a nested class, and getattr(instance, "method") a method. All else is a way around names. */
function judgeGetattr(call: PickleCall, place: string, log: AuditLog): void {
  const [owner, attribute] = call.args;
  if (call.args.length !== 2 || typeof attribute !== "string" || call.star !== undefined) {
    log.note("hidden-attribute", "getattr is called with something else than an object and the name of an attribute.", place);
    return;
  }
  const name = nameOf(owner) ?? classOf(owner);
  if (!name) {
    log.note("hidden-attribute", `getattr takes ${JSON.stringify(attribute.slice(0, 80))} from a value of unknown kind.`, place);
    return;
  }
  log.use(name.module, `${name.name}.${attribute}`, place);
}

/** Bytes that are loaded in their turn are read as data. */
function loadInner(call: PickleCall, { module, name }: Name, place: string, log: AuditLog, auditInner: AuditInner): void {
  const isLoader = module === "torch.storage" && name === "_load_from_bytes";
  if (!isLoader && (isAllowedCallee(module, name, log) || call.args.length === 0)) return;
  let found = false;
  for (const argument of call.args) {
    const bytes = bytesOf(argument);
    if (bytes && auditInner(bytes, place)) {
      found = true;
      log.note("inner-pickle", `${module}.${name} is given ${bytes.length} bytes that are a pickle or an archive.`, place);
    }
  }
  if (isLoader && !found) log.note("inner-unreadable", `${module}.${name} is given something that cannot be audited.`, place);
}

const isAllowedCallee = (module: string, name: string, log: AuditLog): boolean => {
  const { verdict } = judgeGlobal(module, name, log.policy);
  return verdict === "clean" || verdict === "unknown";
};

/** Literal bytes, or what a literal base64 text stands for. */
function bytesOf(value: PickleValue | undefined): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (isPickleNode(value) && value.kind === "bytearray") return value.bytes;
  if (isPickleNode(value) && value.kind === "call") return bytesOf(value.args[0]); // io.BytesIO(bytes), base64.b64decode(text)
  if (typeof value !== "string" || value.length < BASE64_CHARACTERS || !/^[A-Za-z0-9+/_\-\s]+=*\s*$/.test(value)) return undefined;
  try {
    return Uint8Array.from(atob(value.replaceAll("-", "+").replaceAll("_", "/").replace(/\s/g, "")), (character) =>
      character.charCodeAt(0),
    );
  } catch {
    return undefined;
  }
}

function isGlobal(value: PickleValue | undefined, module?: string, name?: string): boolean {
  return isPickleNode(value) && value.kind === "global" && (module === undefined || (value.module === module && value.name === name));
}

const isGetitem = (value: PickleValue): boolean => isGlobal(value, "_operator", "getitem") || isGlobal(value, "operator", "getitem");

/** A name that takes types in brackets, as `typing.List` and `list` do. */
function isGeneric(value: PickleValue | undefined): boolean {
  const name = isPickleNode(value) && value.kind === "global" ? value : undefined;
  if (!name) return false;
  return name.module === "typing" || (name.module === "builtins" && /^(?:list|dict|tuple|set|frozenset|type)$/.test(name.name));
}

const isPersistent = (value: PickleValue | undefined): boolean => isPickleNode(value) && value.kind === "persistent";

/** The name of a global, of a class that a legacy file stores with its source, and of getattr(name, "attribute"). */
function nameOf(value: PickleValue | undefined, depth = 0): Name | undefined {
  if (!isPickleNode(value) || depth > NAME_DEPTH) return undefined;
  if (value.kind === "global") return value;
  if (value.kind === "persistent") {
    const [tag, cls] = isPickleNode(value.id) && value.id.kind === "tuple" ? value.id.items : [];
    return tag === "module" ? nameOf(cls, depth + 1) : undefined;
  }
  if (value.kind !== "call" || !isGlobal(value.callable, "builtins", "getattr") || value.args.length !== 2) return undefined;
  const [owner, attribute] = value.args;
  const name = nameOf(owner, depth + 1);
  return name && typeof attribute === "string" ? { module: name.module, name: `${name.name}.${attribute}` } : undefined;
}

/** The class of an instance that the stream makes: what a bound method is taken from. */
function classOf(value: PickleValue | undefined): Name | undefined {
  if (!isPickleNode(value) || value.kind !== "call") return undefined;
  const name = nameOf(value.callable);
  if (name?.module === "copyreg" && name.name === "_reconstructor") return nameOf(value.args[0]);
  // What a function gives back may be of any class; what a class gives is an instance of it.
  return name && /^_*[A-Z]/.test(name.name.split(".").at(-1) ?? "") ? name : undefined;
}
