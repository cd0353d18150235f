import { type ByteSource, sliceSource } from "@ckptkit/core";
import type { AuditContent, AuditLog } from "./audit-log.js";
import { latin1 } from "./content-kind.js";

const BLOCK_BYTES = 512;
/** Members that are looked at. */
const MOST_MEMBERS = 100_000;

/**
 * Audits every regular member of a tar archive, by the headers alone.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html ustar Interchange Format
 */
export async function auditTar(source: ByteSource, where: string, log: AuditLog, depth: number, auditContent: AuditContent): Promise<void> {
  let members = 0;
  for (let at = 0; at + BLOCK_BYTES <= source.size; ) {
    const header = await source.read(at, at + BLOCK_BYTES, log.options);
    if (header.every((byte) => byte === 0)) {
      if (at + 2 * BLOCK_BYTES < source.size) await auditTail(source, at, where, log);
      return;
    }
    const field = (start: number, length: number): string => latin1(header.subarray(start, start + length)).replace(/\0.*$/s, "");
    const size = Number.parseInt(field(124, 12).trim() || "0", 8);
    const dataStart = at + BLOCK_BYTES;
    if (!Number.isSafeInteger(size) || size < 0 || dataStart + size > source.size || latin1(header.subarray(257, 262)) !== "ustar") {
      log.note(
        "unreadable-member",
        "A header of the tar archive cannot be read; what follows it was not looked at.",
        `${where}: byte ${at}`,
      );
      return;
    }
    if (++members > MOST_MEMBERS) {
      log.note("limit-reached", `The archive has more than ${MOST_MEMBERS} members.`, where);
      return;
    }
    const name = `${field(345, 155) ? `${field(345, 155)}/` : ""}${field(0, 100)}`;
    if (/^\/|(?:^|\/)\.\.(?:\/|$)|\\/.test(name))
      log.note("zip-odd-name", `The member ${JSON.stringify(name)} leads out of its folder.`, where);
    const type = field(156, 1);
    if (type === "" || type === "0") {
      const place = `${where}/${name}`;
      const { kind } = await auditContent(sliceSource(source, dataStart, dataStart + size, place), place, log, depth + 1);
      if (kind === "other" && size > 0)
        log.note("unreferenced-member", `The member ${JSON.stringify(name)} is nothing that is known here.`, place);
    } else if (type === "1" || type === "2") {
      log.note("zip-odd-name", `The member ${JSON.stringify(name)} is a link, which leads elsewhere when it is unpacked.`, where);
    }
    at = dataStart + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

/** What follows the end of an archive is zeros up to a multiple of 10 KiB, in what tar writes. */
async function auditTail(source: ByteSource, at: number, where: string, log: AuditLog): Promise<void> {
  const bytes = await source.read(at, Math.min(source.size, at + 64 * 1024), log.options);
  if (bytes.some((byte) => byte !== 0)) log.note("trailing-data", "Bytes follow the end of the tar archive.", `${where}: byte ${at}`);
}
