import { CheckpointConfigError } from "@ckptkit/core";

/** An artifact as MLflow names it. */
export type MlflowAddress =
  | { readonly kind: "run"; readonly runId: string; readonly path: string }
  | { readonly kind: "model"; readonly model: string; readonly version: string; readonly path: string }
  | { readonly kind: "alias"; readonly model: string; readonly alias: string; readonly path: string }
  /** `latest`, or one of the stages that older servers have: Production, Staging ... */
  | { readonly kind: "stage"; readonly model: string; readonly stage: string; readonly path: string }
  /** A logged model of MLflow 3, which need not be registered. */
  | { readonly kind: "logged-model"; readonly modelId: string; readonly path: string }
  | { readonly kind: "artifact"; readonly uri: string; readonly path: string };

/** Whether an address names something that MLflow keeps. */
export const isMlflowAddress = (uri: string): boolean => /^(runs|models|mlflow-artifacts):\//i.test(uri);

/** Ids of logged models: `m-` and 32 hexadecimal digits. */
const LOGGED_MODEL = /^m-[0-9a-f]{32}$/;

/**
 * Takes `runs:/RUN/path`, `models:/NAME/VERSION[/path]`, `models:/NAME@ALIAS[/path]`, `models:/NAME/latest[/path]`, `models:/m-ID[/path]` or
 * `mlflow-artifacts:/path` apart.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 * @see https://mlflow.org/docs/latest/ml/model-registry/ Referencing models
 * @example parseMlflowAddress("models:/forecaster@champion/model.ckpt")
 */
export function parseMlflowAddress(uri: string): MlflowAddress {
  const scheme = uri.slice(0, uri.indexOf(":")).toLowerCase();
  const rest = uri.slice(scheme.length + 1);
  if (rest.split("/").some((segment) => segment === "." || segment === "..")) throw badAddress('its path has a part "." or ".."');
  if (scheme === "mlflow-artifacts") return { kind: "artifact", uri, path: "" };
  const [first = "", second, ...others] = rest.replace(/^\/+/, "").split("/");
  const pathFrom = (segments: readonly (string | undefined)[]): string => segments.filter((segment) => segment !== undefined).join("/");
  if (scheme === "runs") {
    if (first === "") throw badAddress("it names no run");
    return { kind: "run", runId: first, path: pathFrom([second, ...others]) };
  }
  if (first === "") throw badAddress("it names no model");
  const at = first.lastIndexOf("@");
  if (at > 0)
    return { kind: "alias", model: decode(first.slice(0, at)), alias: decode(first.slice(at + 1)), path: pathFrom([second, ...others]) };
  if (LOGGED_MODEL.test(first)) return { kind: "logged-model", modelId: first, path: pathFrom([second, ...others]) };
  if (second === undefined || second === "") throw badAddress("it names no version of the model");
  const model = decode(first);
  const path = pathFrom(others);
  return /^\d+$/.test(second) ? { kind: "model", model, version: second, path } : { kind: "stage", model, stage: decode(second), path };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function badAddress(why: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `The MLflow address cannot be used: ${why}.`, {
    suggestions: ["Write it as runs:/RUN_ID/PATH, models:/NAME/VERSION/PATH, models:/NAME@ALIAS/PATH or models:/NAME/latest/PATH."],
  });
}
