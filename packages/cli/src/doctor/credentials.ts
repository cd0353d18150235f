import { nodePlatform } from "@ckptkit/node";
import type { Diagnosis } from "./diagnose.js";

/** Longest wait for programs and servers that give credentials. */
const PATIENCE_MS = 5_000;

/** Where credentials are, by the names of variables: never their values. */
export async function diagnoseCredentials(signal: AbortSignal): Promise<Diagnosis[]> {
  return [await diagnoseS3(signal), diagnoseHub(), diagnoseMlflow()];
}

const isSet = (name: string): boolean => (process.env[name] ?? "") !== "";

async function diagnoseS3(signal: AbortSignal): Promise<Diagnosis> {
  const variables = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
  ].filter(isSet);
  const set = variables.length > 0 ? ` (${variables.join(", ")} set)` : "";
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const found = await nodePlatform().s3Credentials?.({ signal: limit });
    if (!found) return { name: "S3", status: "none", found: `no credentials: public buckets only${set}` };
    const origin =
      isSet("AWS_ACCESS_KEY_ID") && !isSet("AWS_PROFILE") ? "the environment" : `the profile ${process.env.AWS_PROFILE || "default"}`;
    return { name: "S3", status: "ok", found: `credentials from ${origin}${found.sessionToken ? ", temporary" : ""}${set}` };
  } catch (error) {
    signal.throwIfAborted();
    return {
      name: "S3",
      status: "warning",
      found: error instanceof Error ? error.message : String(error),
      advice: "aws sts get-caller-identity",
    };
  }
}

function diagnoseHub(): Diagnosis {
  const token = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"].find(isSet);
  const endpoint = isSet("HF_ENDPOINT") ? ", HF_ENDPOINT set" : "";
  if (token !== undefined) return { name: "Hugging Face", status: "ok", found: `token from ${token}${endpoint}` };
  return { name: "Hugging Face", status: "none", found: `no token: public repositories only${endpoint}` };
}

function diagnoseMlflow(): Diagnosis {
  if (!isSet("MLFLOW_TRACKING_URI")) return { name: "MLflow", status: "none", found: "no server: MLFLOW_TRACKING_URI is not set" };
  const login = ["MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME"].filter(isSet);
  return {
    name: "MLflow",
    status: "ok",
    found: `server from MLFLOW_TRACKING_URI, ${login.length > 0 ? `login from ${login.join(", ")}` : "no login"}`,
  };
}
