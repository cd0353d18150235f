import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The policy's fixed part. Addresses of checkpoints are the user's, so `connect-src` takes all of them. */
const POLICY = {
  "default-src": "'self'",
  // The highlighter writes colours into style attributes, and the editor its rules into the page.
  "style-src": "'self' 'unsafe-inline'",
  "img-src": "'self' data: blob:",
  "connect-src": "* data: blob:",
  "worker-src": "'self' blob:",
  "object-src": "'none'",
  "base-uri": "'self'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
} as const;

/** Writes `_headers`, which Netlify, Cloudflare Pages and this repository's own server read. Other hosts need the same by their own means. */
export function writeHeaders(folder: string, base: string): void {
  const scripts = ["'self'", "'wasm-unsafe-eval'", ...inlineScriptHashes(folder)].join(" ");
  const policy = Object.entries({ ...POLICY, "script-src": scripts }).map(([name, value]) => `${name} ${value}`);
  const everywhere = {
    "Content-Security-Policy": policy.join("; "),
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  };
  const rules: Record<string, Record<string, string>> = {
    [`${base}*`]: everywhere,
    // Names of assets hold a digest of what is in them.
    [`${base}assets/*`]: { "Cache-Control": "public, max-age=31536000, immutable" },
    [`${base}sw.js`]: { "Cache-Control": "no-cache" },
  };
  const text = Object.entries(rules).map(([path, headers]) =>
    [path, ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`)].join("\n"),
  );
  writeFileSync(join(folder, "_headers"), `${text.join("\n\n")}\n`);
}

/** The digests of all scripts that stand in pages themselves, as a policy names them. */
function inlineScriptHashes(folder: string): string[] {
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  const scripts = pages.flatMap((page) =>
    [...readFileSync(join(folder, page), "utf8").matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
      ([, text = ""]) => text,
    ),
  );
  return [...new Set(scripts)].map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`).sort();
}
