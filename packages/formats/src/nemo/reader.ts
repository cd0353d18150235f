import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  CheckpointNotFoundError,
  type FormatReader,
  finish,
  type Json,
  type OpenOptions,
  withLimits,
} from "@ckptkit/core";
import { dcpReader } from "../dcp/reader.js";
import { openMember } from "../nested/open-member.js";
import { readTar, type TarMember, tarMember } from "../tar/read-tar.js";
import { torchLegacyReader } from "../torch/legacy-reader.js";
import { torchZipReader } from "../torch/zip-reader.js";
import { nemoSignature } from "./signature.js";

/** Opens models of NVIDIA NeMo: tar archives of a configuration and weights. */
export const nemoReader: FormatReader = { ...nemoSignature, open: openNemo };

/** What a NeMo model's weights may be in. */
const WEIGHT_READERS = [torchZipReader, torchLegacyReader, dcpReader];
/** Weights as torch.save wrote them, or a distributed checkpoint. */
const WEIGHTS = /(?:^|\/)(?:model_weights\.ckpt|model_weights\/\.metadata)$/;
const CONFIGURATION = /(?:^|\/)model_config\.yaml$/;
/** A longer configuration is not shown. */
const MOST_CONFIGURATION_BYTES = 4 * 1024 * 1024;

/**
 * Opens a `.nemo` model: its weights lie in the archive as they are and are read from there. The configuration, YAML text, stands in
 * `metadata.model_config`.
 *
 * @throws {CheckpointLoadError} TAR_CORRUPT, UNSUPPORTED_FORMAT, and what opening the weights throws
 * @see https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/checkpoints/intro.html
 * @example const checkpoint = await openNemo(blobSource(file));
 */
export async function openNemo(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  const members = await finish(readTar(source, limits, options));
  const weights = [...members.values()].find(({ name }) => WEIGHTS.test(name));
  if (!weights) {
    throw new CheckpointLoadError(
      "UNSUPPORTED_FORMAT",
      `${source.name} is a tar archive, but no NeMo model: it has no model_weights.ckpt.`,
      {
        details: { members: [...members.keys()].slice(0, 20) },
        suggestions: ["Unpack it, and open the checkpoint in it."],
      },
    );
  }
  const inner = await openWeights(source, weights, members, options);
  const configuration = await readConfiguration(source, members, options);
  return {
    ...inner,
    uri: source.name,
    format: "nemo",
    byteLength: source.size,
    metadata: { ...inner.metadata, ...configuration },
    close: async () => source.close?.(),
  };
}

async function openWeights(
  source: ByteSource,
  weights: TarMember,
  members: ReadonlyMap<string, TarMember>,
  options: OpenOptions,
): Promise<Checkpoint> {
  const folder = weights.name.replace(/[^/]*$/, "");
  const openSibling = async (name: string): Promise<ByteSource> => {
    const member = members.get(folder + name);
    if (member) return tarMember(source, member);
    throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${folder}${name} in ${source.name}.`);
  };
  return openMember(tarMember(source, weights), WEIGHT_READERS, { ...options, openSibling });
}

async function readConfiguration(
  source: ByteSource,
  members: ReadonlyMap<string, TarMember>,
  options: OpenOptions,
): Promise<{ [key: string]: Json }> {
  const member = [...members.values()].find(({ name }) => CONFIGURATION.test(name));
  if (!member || member.byteLength > MOST_CONFIGURATION_BYTES) return {};
  const bytes = await tarMember(source, member).read(0, member.byteLength, options);
  return { model_config: new TextDecoder().decode(bytes.slice()) };
}
