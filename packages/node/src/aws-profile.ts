import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { S3Credentials } from "@ckptkit/core";

/** A profile of the AWS command line, as far as it is in files. */
export interface AwsProfile {
  readonly name: string;
  /** Keys that stand in the files themselves. */
  readonly credentials: S3Credentials | undefined;
  /** Settings that lead to credentials only by asking somebody: a role, a login, a program. */
  readonly needs: readonly string[];
}

const ASKING = [
  "role_arn",
  "sso_session",
  "sso_account_id",
  "sso_start_url",
  "credential_process",
  "web_identity_token_file",
  "login_session",
];

/**
 * Reads the profile that AWS_PROFILE names, or `default`, from the shared files; undefined where they have none of that name.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
export async function readAwsProfile(environment: NodeJS.ProcessEnv = process.env): Promise<AwsProfile | undefined> {
  const name = environment.AWS_PROFILE || "default";
  const folder = join(homedir(), ".aws");
  const [credentials, config] = await Promise.all([
    readSections(environment.AWS_SHARED_CREDENTIALS_FILE || join(folder, "credentials")),
    readSections(environment.AWS_CONFIG_FILE || join(folder, "config")),
  ]);
  const inConfig = config.get(`profile ${name}`) ?? (name === "default" ? config.get("default") : undefined);
  const inCredentials = credentials.get(name);
  if (!inConfig && !inCredentials) return undefined;
  // Each key pair stands in one file; a pair is never put together from two.
  const pair = [inCredentials, inConfig].find((section) => section?.has("aws_access_key_id") && section.has("aws_secret_access_key"));
  return {
    name,
    credentials: pair && {
      accessKeyId: pair.get("aws_access_key_id") ?? "",
      secretAccessKey: pair.get("aws_secret_access_key") ?? "",
      sessionToken: pair.get("aws_session_token"),
    },
    needs: ASKING.filter((key) => inConfig?.has(key) || inCredentials?.has(key)),
  };
}

/** The sections of a file by their names; none when there is no such file. */
async function readSections(path: string): Promise<Map<string, Map<string, string>>> {
  const sections = new Map<string, Map<string, string>>();
  const text = await readFile(path, "utf8").catch(() => "");
  let section: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const heading = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) {
      const name = heading.replace(/\s+/g, " ");
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      continue;
    }
    // Lines that are indented belong to a nested setting, such as those of s3.
    const setting = /^([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (setting?.[1] !== undefined && setting[2] !== undefined)
      section?.set(setting[1].toLowerCase(), setting[2].replace(/\s+[#;].*$/, ""));
  }
  return sections;
}
