import type { Finding } from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { ggufError } from "./cursor.js";
import { aligned, type GgufHeader, type GgufTensor } from "./header.js";

/**
 * Checks that tensors lie within the data and that no two share bytes. What llama.cpp refuses and what can be read all the same is a finding;
 * an error when strict.
 *
 * @throws {CheckpointLoadError} GGUF_CORRUPT
 */
export function checkData({ tensors, alignment, dataStart }: GgufHeader, file: string, fileBytes: number, strict: boolean): Finding[] {
  const findings: Finding[] = [];
  const tolerate = (rule: string, severity: Finding["severity"], message: string, at?: string): void => {
    if (strict) throw ggufError(file, message);
    if (findings.length >= 100) return;
    findings.push({ rule, severity, message: `${message[0]?.toUpperCase()}${message.slice(1)}.`, ...(at === undefined ? {} : { at }) });
  };
  const dataBytes = Math.max(0, fileBytes - dataStart);
  checkComplete(tensors, file, dataBytes);
  let end = 0;
  let hidden = 0;
  let before: GgufTensor | undefined;
  for (const tensor of [...tensors].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)) {
    const { name, offset, byteLength } = tensor;
    if (offset % alignment !== 0) {
      tolerate(
        "gguf-alignment",
        "warning",
        `the tensor ${quoted(name)} begins at ${offset} of the data, no multiple of ${alignment}`,
        name,
      );
    }
    if (offset < end && byteLength > 0) {
      tolerate("gguf-overlap", "error", `the tensors ${quoted(before?.name ?? "")} and ${quoted(name)} share bytes`, name);
    } else if (offset > aligned(end, alignment)) hidden += offset - aligned(end, alignment);
    if (offset + byteLength > end) {
      end = offset + byteLength;
      before = tensor;
    }
  }
  const tail = dataBytes - aligned(end, alignment);
  if (tail > 0) hidden += tail;
  if (hidden > 0)
    tolerate("gguf-hidden-bytes", "warning", `${hidden} bytes of the data belong to no tensor: other programs may see content there`);
  return findings;
}

function checkComplete(tensors: readonly GgufTensor[], file: string, dataBytes: number): void {
  const incomplete = tensors.filter(({ offset, byteLength }) => offset + byteLength > dataBytes);
  if (incomplete.length === 0) return;
  const needed = incomplete.reduce((most, { offset, byteLength }) => Math.max(most, offset + byteLength), 0);
  throw ggufError(
    file,
    `its tensors need ${needed} bytes of data, but it has ${dataBytes}. ${incomplete.length} of ${tensors.length} tensors are incomplete`,
    { expected: needed, found: dataBytes, incompleteTensors: incomplete.length, first: incomplete[0]?.name },
  );
}
