import { checkEnvironment } from "@ckptkit/core/pipeline";
import { nodePlatform } from "@ckptkit/node";
import { durationText } from "../output/sizes.js";
import { loadCatalog } from "../pipeline/read-pipeline.js";
import { diagnoseCache } from "./cache-folder.js";
import { diagnoseCredentials } from "./credentials.js";

/** One thing that was looked at. */
export interface Diagnosis {
  readonly name: string;
  /** `none` is neither good nor bad: what is not there, and may not be needed. */
  readonly status: "ok" | "none" | "warning" | "error";
  /** What was found. Never a secret: of credentials only the names of what holds them. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}

const NEEDED: readonly [number, number] = [20, 19];

/** Looks at the machine, one thing after another. */
export async function diagnose(signal: AbortSignal): Promise<Diagnosis[]> {
  return [
    diagnoseNode(),
    await diagnoseKernels(),
    await diagnoseCache(),
    ...(await diagnoseCredentials(signal)),
    diagnoseProxy(),
    await diagnoseStages(),
  ];
}

function diagnoseNode(): Diagnosis {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNew = major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
  return {
    name: "Node.js",
    status: isNew ? "ok" : "error",
    found: `${process.versions.node} on ${process.platform} ${process.arch}`,
    ...(!isNew && { advice: `Install Node.js ${NEEDED.join(".")} or newer.` }),
  };
}

async function diagnoseKernels(): Promise<Diagnosis> {
  const { info } = checkEnvironment();
  const start = performance.now();
  try {
    const kernels = await nodePlatform().kernels();
    const simd = info.wasmSimd === true;
    return {
      name: "kernels",
      status: simd ? "ok" : "warning",
      found: `${kernels.name}, loaded in ${durationText(performance.now() - start)}; WebAssembly SIMD ${simd ? "runs" : "is not available: scans and checksums are several times slower"}`,
      ...(!simd && { advice: "Start Node.js without --jitless and on a processor with SSE4.1 or NEON." }),
    };
  } catch (error) {
    return { name: "kernels", status: "error", found: error instanceof Error ? error.message : String(error) };
  }
}

/** Node's fetch takes no notice of proxies unless it is told to, and people wonder. @see https://nodejs.org/api/cli.html, NODE_USE_ENV_PROXY */
function diagnoseProxy(): Diagnosis {
  const set = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].filter((name) => process.env[name]);
  if (set.length === 0) return { name: "proxy", status: "none", found: "none set" };
  const isUsed = process.env.NODE_USE_ENV_PROXY === "1" || process.execArgv.includes("--use-env-proxy");
  return {
    name: "proxy",
    status: isUsed ? "ok" : "warning",
    found: `${set.join(", ")} ${set.length === 1 ? "is" : "are"} set${isUsed ? "" : ", and Node.js does not use it"}`,
    ...(!isUsed && { advice: "NODE_USE_ENV_PROXY=1, with Node.js 24 or newer." }),
  };
}

async function diagnoseStages(): Promise<Diagnosis> {
  const catalog = await loadCatalog(process.cwd());
  const warnings = catalog.notices.map(({ message }) => message);
  const foreign = new Set(catalog.list().flatMap(({ module }) => (module.startsWith("@ckptkit/stages/") ? [] : [module])));
  const origin = foreign.size > 0 ? `, also of ${[...foreign].join(", ")}` : "";
  return {
    name: "stages",
    status: warnings.length > 0 ? "warning" : "ok",
    found: warnings.length > 0 ? warnings.join(" ") : `${catalog.list().length} found${origin}`,
  };
}
