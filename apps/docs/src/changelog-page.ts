import { existsSync, readdirSync, readFileSync } from "node:fs";
import { ROOT } from "./pages.js";

const CHANGESETS = `${ROOT}.changeset/`;

/** What changed: releases from the changelog of the command, whose version all packages share, and above them what is not yet released. */
export function changelogPage(): string {
  const released = `${ROOT}packages/cli/CHANGELOG.md`;
  const pending = pendingChanges();
  return [
    "# Changelog",
    "All published packages share one version.",
    ...(pending.length > 0 ? ["## Unreleased", ...pending] : []),
    existsSync(released) ? readFileSync(released, "utf8").replace(/^# .*\n/, "") : "",
  ].join("\n\n");
}

/** The texts of the changesets, without the packages that they are for. */
function pendingChanges(): string[] {
  return readdirSync(CHANGESETS)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .sort()
    .map((name) =>
      readFileSync(CHANGESETS + name, "utf8")
        .replace(/^---[\s\S]*?^---\n/m, "")
        .trim(),
    );
}
