import type { FormatReader } from "@ckptkit/core";
import { dcpSignature } from "./dcp/signature.js";
import { flaxSignature } from "./flax/signature.js";
import { ggmlSignature } from "./ggml/signature.js";
import { ggufSignature } from "./gguf/signature.js";
import { hdf5Signature } from "./hdf5/signature.js";
import { kerasSignature } from "./keras/signature.js";
import { lazyReader } from "./lazy-reader.js";
import { marSignature } from "./mar/signature.js";
import { nemoSignature } from "./nemo/signature.js";
import { npySignature, npzSignature } from "./npz/signature.js";
import { onnxSignature } from "./onnx/signature.js";
import { ocdbtSignature, orbaxSignature } from "./orbax/signature.js";
import { pt2Signature } from "./pt2/signature.js";
import { safetensorsReader } from "./safetensors/reader.js";
import { shardedSafetensorsSignature, shardedTorchSignature } from "./sharded/signatures.js";
import { tfBundleSignature } from "./tf-bundle/signature.js";
import { torchLegacyReader } from "./torch/legacy-reader.js";
import { torchZipReader } from "./torch/zip-reader.js";
import { torchTarSignature } from "./torch-tar/signature.js";
import { torchScriptSignature } from "./torchscript/signature.js";
import { zarrSignature } from "./zarr/signature.js";

/**
 * Every reader of this package, in the order in which they are asked. Those of torch.save and safetensors are at hand; the code of the others
 * is loaded when a file of theirs is opened.
 */
export const READERS: readonly FormatReader[] = /* @__PURE__ */ (() => [
  lazyReader(ggufSignature, async () => (await import("./gguf/reader.js")).ggufReader),
  lazyReader(ggmlSignature, async () => (await import("./ggml/reader.js")).ggmlReader),
  lazyReader(npySignature, async () => (await import("./npz/npy-reader.js")).npyReader),
  lazyReader(npzSignature, async () => (await import("./npz/npz-reader.js")).npzReader),
  torchZipReader,
  lazyReader(torchScriptSignature, async () => (await import("./torchscript/reader.js")).torchScriptReader),
  lazyReader(pt2Signature, async () => (await import("./pt2/reader.js")).pt2Reader),
  lazyReader(marSignature, async () => (await import("./mar/reader.js")).marReader),
  lazyReader(kerasSignature, async () => (await import("./keras/reader.js")).kerasReader),
  lazyReader(hdf5Signature, async () => (await import("./hdf5/reader.js")).hdf5Reader),
  torchLegacyReader,
  lazyReader(torchTarSignature, async () => (await import("./torch-tar/reader.js")).torchTarReader),
  lazyReader(nemoSignature, async () => (await import("./nemo/reader.js")).nemoReader),
  lazyReader(dcpSignature, async () => (await import("./dcp/reader.js")).dcpReader),
  lazyReader(shardedSafetensorsSignature, async () => (await import("./safetensors/sharded.js")).shardedSafetensorsReader),
  lazyReader(shardedTorchSignature, async () => (await import("./torch-sharded/reader.js")).shardedTorchReader),
  safetensorsReader,
  lazyReader(zarrSignature, async () => (await import("./zarr/reader.js")).zarrReader),
  lazyReader(orbaxSignature, async () => (await import("./orbax/reader.js")).orbaxReader),
  lazyReader(ocdbtSignature, async () => (await import("./orbax/ocdbt-reader.js")).ocdbtReader),
  lazyReader(flaxSignature, async () => (await import("./flax/reader.js")).flaxReader),
  lazyReader(onnxSignature, async () => (await import("./onnx/reader.js")).onnxReader),
  lazyReader(tfBundleSignature, async () => (await import("./tf-bundle/reader.js")).tfBundleReader),
])();
