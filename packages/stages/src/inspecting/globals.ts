import { type Finding, isNode, type Tree } from "@ckptkit/core";

/**
 * Names that stand in harmless checkpoints: plain data, torch's own types, numpy's, and configuration. Exact names, for a list of
 * modules can be fooled by what else is in them.
 *
 * @see torch/_weights_only_unpickler.py, _get_allowed_globals
 */
const HARMLESS = new Set([
  ...["argparse.Namespace", "types.SimpleNamespace", "builtins.complex", "builtins.slice", "builtins.range", "builtins.ellipsis"],
  ...["datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone"],
  ...["decimal.Decimal", "fractions.Fraction", "uuid.UUID", "collections.deque"],
  ...["pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath"],
  ...["pathlib._local.PosixPath", "pathlib._local.WindowsPath", "pathlib._local.Path"],
  ...["numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"],
  ...["numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"],
  ...["torch.device", "torch.Size", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.torch_version.TorchVersion"],
  ...["omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig", "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata"],
  ...["omegaconf.nodes.AnyNode", "lightning.fabric.utilities.data.AttributeDict", "pytorch_lightning.utilities.parsing.AttributeDict"],
  ...["lightning.pytorch.utilities.parsing.AttributeDict", "lightning_fabric.utilities.data.AttributeDict"],
]);

/** Constants and types of torch: dtypes, layouts, memory formats, quantisation schemes, classes of storages and tensors. */
const TORCH_CONSTANT =
  /^torch\.(?:(?:float|bfloat|complex|u?int|q?u?int)\d+\w*|half|float|double|short|int|long|bool|cfloat|cdouble|chalf|strided|sparse_\w+|nested_tensor|(?:contiguous|preserve)_format|channels_last(?:_3d)?|per_(?:tensor|channel)_\w+|\w+Storage|storage\.(?:Typed|Untyped)Storage|\w+Tensor)$/;

/** Functions that run what they are given. Nothing here is called, but torch.load would. */
const EXECUTES =
  /^(?:(?:os|posix|nt|subprocess|commands|pty|runpy|importlib|shutil|sys|socket|webbrowser|ctypes|code|bdb|pdb|timeit|cProfile|profile|pip)(?:\.|$)|builtins\.(?:eval|exec|execfile|compile|open|__import__|getattr|apply)$|torch\.hub\.)/;

/**
 * A finding for each name of a class or function in a tree that is not known to be harmless: an error where it runs what it is
 * given, a warning elsewhere.
 *
 * @param allowed further names that are harmless.
 */
export function findGlobals(tree: Tree, allowed: ReadonlySet<string> = new Set()): Finding[] {
  const names = new Map<string, string>();
  const seen = new Set<object>();
  const open: { value: Tree; at: string }[] = [{ value: tree, at: "" }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, at } = next;
    if (!isNode(value) || seen.has(value)) continue;
    seen.add(value);
    const name = value.kind === "object" ? value.type : value.kind === "global" ? value.name : undefined;
    if (name !== undefined && !names.has(name)) names.set(name, at);
    for (const [key, child] of entriesOf(value)) {
      open.push({ value: key, at });
      open.push({ value: child, at: isNode(key) ? at : `${at}${at && "."}${String(key)}` });
    }
  }
  return [...names].filter(([name]) => !HARMLESS.has(name) && !TORCH_CONSTANT.test(name) && !allowed.has(name)).map(toFinding);
}

function toFinding([name, at]: readonly [string, string]): Finding {
  const executes = EXECUTES.test(name);
  return {
    rule: executes ? "executing-global" : "opaque-global",
    severity: executes ? "error" : "warning",
    message: executes
      ? `The checkpoint names ${name}, which runs what it is given: Python's loader would call it.`
      : `The checkpoint names ${name}, which is not known to be harmless: Python's loader would import it.`,
    ...(at !== "" && { at }),
  };
}

/** Everything that stands below a node. */
function entriesOf(node: Tree): readonly (readonly [Tree, Tree])[] {
  if (!isNode(node)) return [];
  const numbered = (items: readonly Tree[] | undefined): [Tree, Tree][] => (items ?? []).map((item, index) => [index, item]);
  switch (node.kind) {
    case "map":
      return [...node.entries, ...(node.attributes?.entries ?? [])];
    case "list":
      return numbered(node.items);
    case "object":
      return [
        ...numbered(node.args),
        ...(node.attributes?.entries ?? []),
        ...(node.state === undefined ? [] : [["__state__", node.state] as const]),
        ...numbered(node.items),
        ...(node.entries ?? []),
      ];
    default:
      return [];
  }
}
