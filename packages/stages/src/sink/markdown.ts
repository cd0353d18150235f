import type { Json } from "@ckptkit/core";
import { markdownTable } from "@ckptkit/inspect";
import type { PipelineReport } from "./pipeline-report.js";

/** A report for people. */
export function toMarkdown({ checkpoint, model, stages, findings, metadata, tensors }: PipelineReport): string {
  const blocks = ["# Checkpoint report"];
  if (checkpoint) {
    const { uri, format, layout, byteLength, tensorCount } = checkpoint;
    blocks.push(markdownTable(["checkpoint", "format", "layout", "bytes", "tensors"], [[uri, format, layout, byteLength, tensorCount]]));
  }
  if (model) {
    const { tensorCount, parameterCount, trainableCount, byteLength, weightsInitialized } = model;
    blocks.push(
      "## Model",
      markdownTable(
        ["tensors", "parameters", "trainable", "bytes", "loaded"],
        [[tensorCount, parameterCount, trainableCount, byteLength, weightsInitialized ? "yes" : "no"]],
      ),
    );
  }
  if (stages.length > 0) {
    blocks.push(
      "## Stages",
      markdownTable(
        ["#", "stage", "status", "ms"],
        stages.map(({ index, name, status, durationMs }) => [index, name, status, durationMs ?? ""]),
      ),
    );
  }
  if (findings.length > 0) {
    blocks.push(
      "## Findings",
      markdownTable(
        ["severity", "rule", "message", "at"],
        findings.map(({ severity, rule, message, at }) => [severity, rule, message, at ?? ""]),
      ),
    );
  }
  const entries = Object.entries(metadata);
  if (entries.length > 0)
    blocks.push(
      "## Metadata",
      markdownTable(
        ["name", "value"],
        entries.map(([name, value]) => [name, shown(value)]),
      ),
    );
  blocks.push(
    "## Tensors",
    markdownTable(
      ["name", "dtype", "shape", "bytes"],
      tensors.map(({ name, dtype, shape, byteLength }) => [name, dtype, `[${shape.join(", ")}]`, byteLength]),
    ),
  );
  return `${blocks.join("\n\n")}\n`;
}

const CELL_CHARACTERS = 200;

function shown(value: Json): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= CELL_CHARACTERS ? text : `${text.slice(0, CELL_CHARACTERS)}...`;
}
