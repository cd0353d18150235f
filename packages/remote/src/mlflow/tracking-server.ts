import {
  CheckpointConfigError,
  type CheckpointError,
  CheckpointNotFoundError,
  CheckpointSourceError,
  type Json,
  type JsonRefusal,
  requestJson,
} from "@ckptkit/core";
import { textOf } from "../json-fields.js";
import { fetchOf, type RemoteHost, type TransferOptions, variable } from "../remote-options.js";
import { retrying } from "../retrying.js";

/** How MLflow's server is reached. */
export interface MlflowOptions {
  /** Address of the tracking server; MLFLOW_TRACKING_URI when left out. */
  trackingUri?: string | undefined;
  /** MLFLOW_TRACKING_TOKEN when left out. Goes to the tracking server alone. */
  token?: string | undefined;
  /** MLFLOW_TRACKING_USERNAME when left out. */
  username?: string | undefined;
  /** MLFLOW_TRACKING_PASSWORD when left out. */
  password?: string | undefined;
}

/** MLflow's REST interface. @see https://mlflow.org/docs/latest/api_reference/rest-api.html */
export class TrackingServer {
  /** Address without a slash at its end. */
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #host: RemoteHost;
  readonly #options: TransferOptions;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT where no server is named. */
  constructor(host: RemoteHost, options: TransferOptions & { mlflow?: MlflowOptions | undefined }) {
    const { mlflow = {} } = options;
    const uri = mlflow.trackingUri ?? variable(host, "MLFLOW_TRACKING_URI");
    if (uri === undefined) {
      throw noServer("no tracking server is named");
    }
    if (!/^https?:\/\//i.test(uri)) throw noServer("the tracking URI is not the http:// or https:// address of a server");
    const url = new URL(uri);
    const username = mlflow.username ?? variable(host, "MLFLOW_TRACKING_USERNAME") ?? decodeURIComponent(url.username);
    const password = mlflow.password ?? variable(host, "MLFLOW_TRACKING_PASSWORD") ?? decodeURIComponent(url.password);
    const token = mlflow.token ?? variable(host, "MLFLOW_TRACKING_TOKEN");
    this.#url = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
    this.#headers = { ...options.headers, ...authorization(username, password, token, mlflow.token !== undefined) };
    this.#host = host;
    this.#options = options;
  }

  /** Asks for JSON: `get("runs/get", { run_id })`. @throws {CheckpointNotFoundError} NOT_FOUND; what `requestJson` throws. */
  async get(path: string, parameters: Readonly<Record<string, string>>, what: string): Promise<Json> {
    const url = new URL(`${this.#url}/api/2.0/${path}`);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const { timeoutMs, retry, signal } = this.#options;
    const ask = { fetch: fetchOf(this.#host), headers: this.#headers, timeoutMs, signal };
    return retrying(() => requestJson(url, { ...ask, onRefusal: (refusal) => refusalError(refusal, what) }), retry, signal);
  }

  /**
   * Address of an artifact behind the server's proxy; another server's when `authority` names one.
   *
   * @see https://mlflow.org/docs/latest/self-hosting/architecture/artifact-store/ Tracking server as a proxy
   */
  proxied(path: string, authority?: string): string {
    const base = authority ? `${new URL(this.#url).protocol}//${authority}` : this.#url;
    return `${base}/api/2.0/mlflow-artifacts/artifacts/${path.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** The headers for an address: those with credentials go to the tracking server alone. */
  headersFor(address: string): Readonly<Record<string, string>> {
    return new URL(address).origin === new URL(this.#url).origin ? this.#headers : {};
  }
}

function noServer(why: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `The MLflow artifact cannot be looked up: ${why}.`, {
    suggestions: ["Give the server's address: trackingUri, or MLFLOW_TRACKING_URI=https://mlflow.example.org."],
  });
}

function authorization(username: string, password: string, token: string | undefined, preferToken: boolean): Record<string, string> {
  if (token !== undefined && (preferToken || username === "")) return { Authorization: `Bearer ${token}` };
  if (username === "" && password === "") return {};
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** @see https://github.com/mlflow/mlflow/blob/master/mlflow/protos/databricks.proto ErrorCode */
function refusalError({ status, body, name }: JsonRefusal, what: string): CheckpointError | undefined {
  const code = textOf(body, "error_code");
  const details = { name, status, mlflowCode: code };
  if (code === "RESOURCE_DOES_NOT_EXIST" || status === 404) {
    return new CheckpointNotFoundError("NOT_FOUND", `MLflow knows no ${what}: the server answered ${code ?? status}.`, {
      details,
      suggestions: ["Check the name, and whether it was deleted.", "Check that the tracking URI is that of the right server."],
    });
  }
  if (code === "PERMISSION_DENIED" || code === "UNAUTHENTICATED" || status === 401 || status === 403) {
    return new CheckpointSourceError("ACCESS_DENIED", `MLflow does not show ${what}: the server answered ${code ?? status}.`, {
      details,
      suggestions: [
        "Give a token (MLFLOW_TRACKING_TOKEN), or a user name and password (MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD).",
      ],
    });
  }
  return undefined;
}
