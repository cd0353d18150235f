import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { AwsClient } from "aws4fetch";
import type { Account } from "./signature-check.js";

/** moto_server: the one that the set-up found, or ruled out (an empty value); else one on PATH. */
export const motoCommand =
  process.env.CKPTKIT_MOTO ??
  (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "moto_server"))
    .find((path) => existsSync(path));

/** A running moto. */
export interface MotoServer {
  readonly endpoint: string;
  /** Whose signatures it accepts. */
  readonly account: Account;
  put(bucket: string, key: string, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Questions that moto answers without looking at signatures: those by which the account is made. */
const OPEN_QUESTIONS = 3;

/**
 * Starts moto with one user, whose signatures it checks with botocore, the AWS SDK's own implementation for Python.
 *
 * @see https://docs.getmoto.org/en/latest/docs/iam.html
 */
export async function motoServer(command: string): Promise<MotoServer> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(command, ["-H", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
    env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: String(OPEN_QUESTIONS) },
  });
  try {
    await answering(endpoint, child);
    const account = await makeAccount(endpoint);
    const client = new AwsClient({ ...account, region: "us-east-1", service: "s3", retries: 0 });
    const put = async (path: string, body?: Uint8Array): Promise<void> => {
      const { status } = await client.fetch(`${endpoint}/${path}`, { method: "PUT", ...(body && { body: Buffer.from(body) }) });
      if (status !== 200) throw new Error(`moto answered ${status} to PUT ${path}`);
    };
    return {
      endpoint,
      account,
      async put(bucket, key, bytes) {
        await put(bucket);
        await put(`${bucket}/${key}`, bytes);
      },
      close: () => stopped(child),
    };
  } catch (error) {
    await stopped(child);
    throw error;
  }
}

async function makeAccount(endpoint: string): Promise<Account> {
  const anyone = new AwsClient({ accessKeyId: "AKIDANYONE", secretAccessKey: "any", region: "us-east-1", service: "iam", retries: 0 });
  const ask = async (parameters: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams({ Version: "2010-05-08", UserName: "reader", ...parameters }).toString();
    const answer = await anyone.fetch(`${endpoint}/`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body,
    });
    return answer.text();
  };
  await ask({ Action: "CreateUser" });
  const keys = await ask({ Action: "CreateAccessKey" });
  const Statement = [{ Effect: "Allow", Action: "s3:*", Resource: "*" }];
  await ask({ Action: "PutUserPolicy", PolicyName: "all", PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }) });
  const field = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(keys)?.[1] ?? "";
  return { accessKeyId: field("AccessKeyId"), secretAccessKey: field("SecretAccessKey") };
}

/** Waits until the server answers, at most half a minute. */
async function answering(endpoint: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await fetch(`${endpoint}/moto-api/`).catch(() => undefined))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`moto did not start (exit code ${child.exitCode})`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const stopped = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
