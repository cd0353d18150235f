// `node scripts/demo-s3.mjs`: from a fresh clone to a pipeline at work on a Lightning checkpoint in an S3 bucket. Starts an S3 server on
// this machine that checks every signature, puts the checkpoint there, plans and runs the template, and stops the server.
// `--built` leaves out set-up and build.
import "./lib/node-version.mjs";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { ckpt } from "./lib/ckpt.mjs";
import { inRoot } from "./lib/root.mjs";
import { tail } from "./lib/run.mjs";
import { setUp } from "./lib/setup.mjs";
import { StepFailed, say, step } from "./lib/steps.mjs";
import { turbo } from "./lib/turbo.mjs";

const TEMPLATE = "packages/catalog/templates/s3-freeze-and-save.yaml";
const CHECKPOINT = "fixtures/files/vit-tiny.ckpt";
const OUTPUT = "out/s3-demo.safetensors";
const REGION = "eu-central-1";
const ACCOUNT = { accessKeyId: "DEMOKEY", secretAccessKey: "demo-secret" };

/** The server that the tests of the S3 source use, and what serves bytes for it. */
async function loadServer() {
  const { build } = await import("esbuild");
  const outfile = inRoot(".cache", "demo", "s3-server.mjs");
  await build({
    stdin: {
      contents: 'export { s3Server } from "./test/s3-server.ts"; export { servedBytes } from "@ckptkit/testkit/node";',
      resolveDir: inRoot("packages/stages"),
      loader: "ts",
    },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["vitest", "vite"],
    logLevel: "warning",
  });
  return import(pathToFileURL(outfile).href);
}

async function demonstrate() {
  const { s3Server, servedBytes } = await loadServer();
  const server = await s3Server(ACCOUNT, REGION);
  try {
    server.objects.set("models/runs/7/last.ckpt", servedBytes(new Uint8Array(readFileSync(inRoot(CHECKPOINT)))));
    const env = {
      S3_URL: "s3://models/runs/7/last.ckpt",
      FROZEN: "model.patch_embed",
      OUTPUT,
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: ACCOUNT.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ACCOUNT.secretAccessKey,
      AWS_SESSION_TOKEN: "",
      AWS_PROFILE: "",
      NO_COLOR: "1",
      COLUMNS: "110",
    };
    say(`An S3 server listens at ${server.endpoint}, with ${env.S3_URL} (${CHECKPOINT}).`);
    for (const args of [
      ["plan", TEMPLATE],
      ["run", TEMPLATE],
      ["inspect", OUTPUT, "--filter", "*.patch_embed.*"],
    ]) {
      const { line, output, code } = await ckpt(args, env);
      say(`\n$ ${line}\n${output.trimEnd()}`);
      if (code !== 0) throw new StepFailed(`${line} ended with code ${code}`);
    }
    say(`\nThe server answered ${server.files.requests.length} signed requests with ${server.files.bytesSent} bytes, and is stopped.`);
  } finally {
    await server.close();
  }
}

try {
  if (!process.argv.includes("--built")) {
    await setUp();
    await step("build", async () => {
      const { code, output } = await turbo(["generate", "build"]);
      if (code !== 0) throw new StepFailed(`The build failed.\n\n${tail(output, 60)}`);
    });
  }
  rmSync(inRoot(OUTPUT), { force: true });
  mkdirSync(inRoot("out"), { recursive: true });
  await demonstrate();
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  say(`\n${error.message}`);
  process.exitCode = 1;
}
