import { CheckpointNotFoundError, CheckpointSourceError, type Json } from "@ckptkit/core";
import { fieldOf, listOf, textOf } from "../json-fields.js";
import { type MlflowAddress, parseMlflowAddress } from "./address.js";
import type { TrackingServer } from "./tracking-server.js";

/** Where an artifact is. */
export interface ArtifactPlace {
  /** Address of the folder of artifacts in its store: `s3://...`, `mlflow-artifacts:/...`, a path. */
  readonly root: string;
  /** Path in that folder; '' for the folder itself. */
  readonly path: string;
  /** Address of that folder that will not lead to another version later. */
  readonly pinned: string;
  /** Run or version of the model. */
  readonly revision: string | undefined;
  /** Set where the server lists the artifacts of a run. */
  readonly runId?: string | undefined;
}

/** A model may lead to a logged model, which leads to its files; more steps are a circle. */
const MAX_STEPS = 4;

/** Asks the server where an artifact is kept. @throws {CheckpointNotFoundError} NOT_FOUND */
export async function locate(server: TrackingServer, address: MlflowAddress, steps = MAX_STEPS): Promise<ArtifactPlace> {
  const place = await lookUp(server, address);
  if (!/^(runs|models):\//.test(place.root)) return place;
  if (steps === 0) throw unexpected(`its address leads in a circle (${place.root})`);
  const inner = await locate(server, parseMlflowAddress(joinPath(place.root, place.path)), steps - 1);
  return { ...inner, pinned: place.pinned, revision: place.revision, ...pathWithin(inner, place.path) };
}

/** The inner place ends with the outer path: the root is what comes before it. */
function pathWithin(inner: ArtifactPlace, path: string): Pick<ArtifactPlace, "root" | "path"> {
  const before = inner.path.slice(0, inner.path.length - path.length).replace(/\/$/, "");
  return { root: joinPath(inner.root, before), path };
}

async function lookUp(server: TrackingServer, address: MlflowAddress): Promise<ArtifactPlace> {
  const { path } = address;
  switch (address.kind) {
    case "artifact":
      return { root: address.uri, path: "", pinned: address.uri, revision: undefined };
    case "run": {
      const { runId } = address;
      const run = await server.get("mlflow/runs/get", { run_id: runId }, `run ${runId}`);
      return { root: rootOf(run, "run", "info", "artifact_uri"), path, pinned: `runs:/${runId}`, revision: runId, runId };
    }
    case "logged-model": {
      const { modelId } = address;
      const model = await server.get(`mlflow/logged-models/${modelId}`, {}, `logged model ${modelId}`);
      return { root: rootOf(model, "model", "info", "artifact_uri"), path, pinned: `models:/${modelId}`, revision: modelId };
    }
    case "alias": {
      const { model, alias } = address;
      const found = await server.get("mlflow/registered-models/alias", { name: model, alias }, `alias ${alias} of the model ${model}`);
      return versionPlace(server, model, versionOf(found, "model_version", "version"), path);
    }
    case "stage":
      return versionPlace(server, address.model, await latestVersion(server, address.model, address.stage), path);
    case "model":
      return versionPlace(server, address.model, address.version, path);
  }
}

async function versionPlace(server: TrackingServer, model: string, version: string, path: string): Promise<ArtifactPlace> {
  const what = `version ${version} of the model ${model}`;
  const found = await server.get("mlflow/model-versions/get-download-uri", { name: model, version }, what);
  return { root: rootOf(found, "artifact_uri"), path, pinned: `models:/${encodeURIComponent(model)}/${version}`, revision: version };
}

/** The newest version of a model: of all of them for `latest`, or in one of the stages of older servers. */
async function latestVersion(server: TrackingServer, model: string, stage: string): Promise<string> {
  const isLatest = stage.toLowerCase() === "latest";
  const parameters = { name: model, ...(!isLatest && { stages: stage }) };
  const found = await server.get("mlflow/registered-models/get-latest-versions", parameters, `model ${model}`);
  const versions = listOf(found, "model_versions").map((entry) => Number(fieldOf(entry, "version")));
  const newest = Math.max(...versions.filter(Number.isSafeInteger));
  if (Number.isFinite(newest)) return String(newest);
  throw new CheckpointNotFoundError("NOT_FOUND", `The model ${model} has no version${isLatest ? "" : ` in the stage "${stage}"`}.`, {
    details: { model, stage },
    suggestions: [isLatest ? "Register a version of it first." : `If "${stage}" is an alias, write models:/${model}@${stage}.`],
  });
}

function rootOf(json: Json, ...keys: string[]): string {
  const root = textOf(json, ...keys);
  if (root === undefined) throw unexpected(`it has no ${keys.join(".")}`);
  return root;
}

function versionOf(json: Json, ...keys: string[]): string {
  const version = fieldOf(json, ...keys);
  if (typeof version === "string" || typeof version === "number") return String(version);
  throw unexpected(`it has no ${keys.join(".")}`);
}

const unexpected = (why: string): CheckpointSourceError =>
  new CheckpointSourceError("HTTP_ANSWER", `MLflow's answer cannot be used: ${why}.`, {
    suggestions: ["Check that the tracking URI is that of an MLflow server."],
  });

/** Puts a path behind an address; either may be empty. */
export const joinPath = (root: string, path: string): string => (path === "" ? root : `${root.replace(/\/+$/, "")}/${path}`);
